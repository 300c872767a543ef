/** An erasure in D1: the statements of every feature that stores something of a customer, as one transaction. */
import { sql } from 'drizzle-orm';
import { selectChange, isRecorded, insertChange } from '../audit/audit.store.ts';
import type { Actor } from '../api-keys/caller.ts';
import { isStaged, eraseStagedCopies } from '../batches/process/chunks.store.ts';
import { selectDueEndpoints } from '../events/due-endpoints.store.ts';
import { insertEvent } from '../events/events.store.ts';
import { eraseClientRef } from '../batches/failures.store.ts';
import { deleteCustomerStatements, matchesRevision, type CopyKeys } from '../customers/customers.store.ts';

/**
 * Everything depends on the erasure's row in the audit log, and that on there being a customer to erase. Running it
 * again, because its answer was lost, ends the same way.
 * @returns `retired` is the phrase; `change` is empty if nobody was erased
 */
export function eraseCustomerStatements(
  actor: Actor,
  at: number,
  id: string,
  { email, clientRef }: CopyKeys,
  expected: string[] | undefined,
) {
  const { bankId } = actor;
  const change = { at, action: 'customer.erased', subject: id, fields: [] } as const;
  const written = isRecorded(actor, change);
  // Nobody can have changed a staged customer, so its revision is its id.
  const stagedIsExpected = expected?.includes(id) === false ? sql`false` : isStaged(bankId, id);
  const exists = sql`(EXISTS (SELECT 1 FROM customers WHERE ${matchesRevision(bankId, id, expected)}) OR ${stagedIsExpected})`;
  return {
    event: insertEvent(
      { bankId, now: at, type: 'customer.erased', data: JSON.stringify({ customerId: id }) },
      sql`WHERE NOT ${written} AND ${exists}`,
    ),
    audit: insertChange(actor, change, exists),
    ...deleteCustomerStatements(bankId, id, written),
    stagedCopies: eraseStagedCopies(bankId, id, email, written),
    failures: eraseClientRef(bankId, clientRef, written),
    change: selectChange(actor, change),
    due: selectDueEndpoints(bankId, at, 'customer.erased'),
  };
}
