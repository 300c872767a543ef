/** An erasure in D1: statements of every room that knows something of a customer, as one transaction. */
import { sql } from 'drizzle-orm';
import { selectChange, isRecorded, insertChange } from '../audit/audit.store.ts';
import type { Actor } from '../api-keys/caller.ts';
import { isStaged, eraseStagedCopies } from '../batches/process/chunks.store.ts';
import { eraseClientRef } from '../batches/failures.store.ts';
import { deleteCustomerStatements, matchesRevision, type Traces } from '../customers/customers.store.ts';
import type { Statement } from '../db/statements.ts';

/**
 * All of it hangs on its row in the audit log, and that on there being somebody to erase. Done again, because its
 * answer was lost, it ends the same way. The second returns the phrase, the last whether it was done.
 */
export function eraseCustomerStatements(
  actor: Actor,
  at: number,
  id: string,
  { email, clientRef }: Traces,
  expected: string[] | undefined,
): Statement[] {
  const { bankId } = actor;
  const change = { at, action: 'DELETE /v1/bank/customer', subject: id, fields: [] } as const;
  const written = isRecorded(actor, change);
  // Nobody has changed one that is not there yet, so its revision is its id.
  const stagedIsExpected = expected?.includes(id) === false ? sql`false` : isStaged(bankId, id);
  const isThere = sql`(EXISTS (SELECT 1 FROM customers WHERE ${matchesRevision(bankId, id, expected)}) OR ${stagedIsExpected})`;
  return [
    insertChange(actor, change, isThere),
    ...deleteCustomerStatements(bankId, id, written),
    eraseStagedCopies(bankId, id, email, written),
    eraseClientRef(bankId, clientRef, written),
    selectChange(actor, change),
  ];
}
