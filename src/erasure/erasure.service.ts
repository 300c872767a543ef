/**
 * Forgetting a customer: the row, what lies at the edge, copies that are still on their way in, and its name in
 * failures. Its phrase is retired, and the audit log keeps that it happened. In a room of its own, because it
 * reaches into customers and batches alike.
 */
import { findChange, isWritten, recordChange, type Actor } from '../audit/audit.store.ts';
import { findStagedTraces, isStaged, scrubStaged } from '../batches/batch-chunks.store.ts';
import { scrubFailures } from '../batches/batch-results.store.ts';
import { changedMeanwhile } from '../customers/customers.service.ts';
import { eraseCustomer, findTraces, isExpected, type Traces } from '../customers/customers.store.ts';
import { isDatabaseAway, runTogether, type Statement } from '../db/client.ts';
import type { Deps } from '../deps.ts';
import { AppError } from '../errors.ts';
import { sql } from 'drizzle-orm';

/**
 * @param id of a customer of the actor's bank, moved in or only accepted
 * @param expected revisions of which one must be the customer's; undefined: any
 * @throws CUSTOMER_NOT_FOUND, alike for nobody's, another bank's and one that was erased before
 */
export async function forgetCustomer(
  deps: Deps,
  actor: Actor,
  id: string,
  expected: string[] | undefined,
): Promise<void> {
  const { db, session, phraseCache } = deps;
  const { bankId } = actor;
  const [[row] = [], [staged] = []] = (await runTogether(db, [
    findTraces(bankId, id),
    findStagedTraces(bankId, id),
  ])) as [Traces[]?, Traces[]?];
  const traces = row ?? staged;
  if (traces === undefined) throw new AppError('CUSTOMER_NOT_FOUND');

  const statements = erasure(actor, deps.runtime.now(), id, traces, expected);
  const results = await runTogether(session, statements).catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
    return runTogether(session, statements);
  });
  if (results.at(-1)?.length === 0) {
    throw expected === undefined ? new AppError('CUSTOMER_NOT_FOUND') : changedMeanwhile();
  }
  for (const { phrase } of (results[1] ?? []) as { phrase: string }[]) {
    const forgetAgain = await phraseCache.forget(bankId, phrase);
    deps.after(forgetAgain());
  }
}

/**
 * All of it hangs on its row in the audit log, and that on there being somebody to erase. Done again, because its
 * answer was lost, it ends the same way. The second returns the phrase, the last whether it was done.
 */
function erasure(
  actor: Actor,
  at: number,
  id: string,
  { email, clientRef }: Traces,
  expected: string[] | undefined,
): Statement[] {
  const { bankId } = actor;
  const written = isWritten(actor, at);
  // Nobody has changed one that is not there yet, so its revision is its id.
  const stagedIsExpected = expected?.includes(id) === false ? sql`false` : isStaged(bankId, id);
  const isThere = sql`(EXISTS (SELECT 1 FROM customers WHERE ${isExpected(bankId, id, expected)}) OR ${stagedIsExpected})`;
  return [
    recordChange(actor, { at, action: 'DELETE /v1/bank/customer', subject: id, fields: [] }, isThere),
    ...eraseCustomer(bankId, id, written),
    scrubStaged(bankId, id, email, written),
    scrubFailures(bankId, clientRef, written),
    findChange(actor, at),
  ];
}
