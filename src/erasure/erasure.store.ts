/** An erasure in D1: statements of every room that knows something of a customer, as one transaction. */
import { sql } from 'drizzle-orm';
import { findChange, isWritten, recordChange } from '../audit/audit.store.ts';
import type { Actor } from '../api-keys/caller.ts';
import { isStaged, scrubStaged } from '../batches/process/chunks.store.ts';
import { scrubFailures } from '../batches/failures.store.ts';
import { eraseCustomer, isExpected, type Traces } from '../customers/customers.store.ts';
import type { Statement } from '../db/statements.ts';

/**
 * All of it hangs on its row in the audit log, and that on there being somebody to erase. Done again, because its
 * answer was lost, it ends the same way. The second returns the phrase, the last whether it was done.
 */
export function erasure(
  actor: Actor,
  at: number,
  id: string,
  { email, clientRef }: Traces,
  expected: string[] | undefined,
): Statement[] {
  const { bankId } = actor;
  const change = { at, action: 'DELETE /v1/bank/customer', subject: id, fields: [] } as const;
  const written = isWritten(actor, change);
  // Nobody has changed one that is not there yet, so its revision is its id.
  const stagedIsExpected = expected?.includes(id) === false ? sql`false` : isStaged(bankId, id);
  const isThere = sql`(EXISTS (SELECT 1 FROM customers WHERE ${isExpected(bankId, id, expected)}) OR ${stagedIsExpected})`;
  return [
    recordChange(actor, change, isThere),
    ...eraseCustomer(bankId, id, written),
    scrubStaged(bankId, id, email, written),
    scrubFailures(bankId, clientRef, written),
    findChange(actor, change),
  ];
}
