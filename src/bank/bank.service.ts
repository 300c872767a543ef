/** Describes the caller: its bank, its API key and its limits. */
import type { Caller } from '../api-keys/caller.ts';
import { SCOPES } from '../api-keys/scopes.ts';
import { selectCustomerCount } from '../databases/tenant.store.ts';
import type { Tenants } from '../databases/tenant.ts';
import { LIMITS } from '../limits.ts';
import type { RatePolicies } from '../rate-limits/rate-limits.ts';
import type { Bank } from './bank.responses.ts';

export interface BankDeps {
  databases: Tenants;
  rateLimits: { readonly policies: RatePolicies };
  /** Batches of one bank that may be open at once. */
  maxOpenBatches: number;
  failureLimits: { readonly perDay: number };
}

/** One D1 call, which reads two rows. */
export async function describeCaller(deps: BankDeps, caller: Caller): Promise<Bank> {
  const { bankId, bankName, apiKeyId, scopes } = caller;
  const [count] = await deps.databases.tenantOf(caller).readNearest([selectCustomerCount(bankId)]);
  const maySeeCustomers = scopes.has('customers:read') || scopes.has('customers:read:extended');
  return {
    id: bankId,
    name: bankName,
    keyId: apiKeyId,
    scopes: SCOPES.filter((scope) => scopes.has(scope)),
    customerCount: maySeeCustomers ? (count[0]?.total ?? 0) : null,
    limits: limitsOf(deps),
  };
}

function limitsOf({ rateLimits, maxOpenBatches, failureLimits }: BankDeps): Bank['limits'] {
  return {
    batchRows: LIMITS.batchRows,
    batchBytes: LIMITS.batchBodyBytes,
    openBatches: maxOpenBatches,
    failuresPerDay: failureLimits.perDay,
    payeeMissesPerDay: LIMITS.maxPayeeMissesPerDay,
    pageRows: LIMITS.maxCustomerPageRows,
    filterValues: LIMITS.filterValues,
    rates: Object.entries(rateLimits.policies).map(([name, { limit, seconds }]) => ({
      name,
      limit,
      seconds,
    })),
  };
}
