/**
 * A move of a bank from one shard to another. The directory's `bank_moves` has its phase, which only rises; the bank's
 * rows in `tenants` of both shards have what each shard may do. docs/architecture.md has the whole sequence.
 */
import type { BankMove, TenantState } from '../../db/schema.ts';

/** A row of `bank_moves`. */
export type Move = BankMove;

/** What a move changes in a bank's row of `tenants`. */
export interface Tenant {
  state: TenantState;
  moveNumber: number;
  /** The columns that change with the bank's data, as JSON. */
  counts: string;
}

/** Another driver has taken this move further, or it was aborted: what this one knows is outdated, so it stops. */
export class OutdatedMove extends Error {}

/** The shards differ from what the move needs. Nobody but an operator can change that, so the move is aborted. */
export class ImpossibleMove extends Error {}

/**
 * @throws OutdatedMove unless the tenant is in one of these states of this move
 * @throws ImpossibleMove if this move can't have it
 */
export function expectTenant(
  tenant: Tenant | undefined,
  { number }: Pick<Move, 'number'>,
  ...states: Tenant['state'][]
): Tenant {
  if (tenant === undefined || tenant.moveNumber < number)
    throw new ImpossibleMove('the bank is not open in the source, or the target has it already');
  if (tenant.moveNumber > number || !states.includes(tenant.state))
    throw new OutdatedMove(`move ${number} finds a tenant that is ${tenant.state}`);
  return tenant;
}
