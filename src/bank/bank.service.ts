/** Describes the caller: its bank, its API key and its limits. */
import type { Caller } from '../api-keys/caller.ts';
import { SCOPES } from '../api-keys/scopes.ts';
import type { ReadSession } from '../db/session.ts';
import { execute } from '../db/statements.ts';
import { unavailable } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { RatePolicies } from '../rate-limits/rate-limits.ts';
import type { Bank } from './bank.responses.ts';
import { selectBank } from './bank.store.ts';

export interface BankDeps {
  session: ReadSession;
  rateLimits: { readonly policies: RatePolicies };
  /** Batches of one bank that may be open at once. */
  maxOpenBatches: number;
  failureLimits: { readonly perDay: number };
}

/** One D1 call, which reads one row. */
export async function describeCaller(
  deps: BankDeps,
  { bankId, bankName, apiKeyId, scopes }: Caller,
): Promise<Bank> {
  const [row] = await execute(deps.session, selectBank(bankId));
  // An API key names a bank that exists, and banks are never deleted. A replica may be older than a new bank.
  if (row === undefined) throw unavailable(undefined);
  const maySeeCustomers = scopes.has('customers:read') || scopes.has('customers:read:extended');
  return {
    id: bankId,
    name: bankName,
    keyId: apiKeyId,
    scopes: SCOPES.filter((scope) => scopes.has(scope)),
    customerCount: maySeeCustomers ? row.customerCount : null,
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
