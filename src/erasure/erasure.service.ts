/**
 * Forgetting a customer: the row, what lies at the edge, copies that are still on their way in, and its name in
 * failures. Its phrase is retired, and the audit log keeps that it happened. In a room of its own, because it
 * reaches into customers and batches alike.
 */
import { recordChange, type Actor } from '../audit/audit.store.ts';
import { findStagedTraces, scrubStaged } from '../batches/batch-chunks.store.ts';
import { scrubFailures } from '../batches/batch-results.store.ts';
import { changedMeanwhile } from '../customers/customers.service.ts';
import { eraseCustomer, findTraces, type Traces } from '../customers/customers.store.ts';
import { revisionOf } from '../customers/customers.view.ts';
import { isDatabaseAway, runTogether } from '../db/client.ts';
import type { Deps } from '../deps.ts';
import { AppError } from '../errors.ts';

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
  const { db, runtime, phraseCache } = deps;
  const { bankId } = actor;
  const [[row] = [], [staged] = []] = (await runTogether(db, [
    findTraces(bankId, id),
    findStagedTraces(bankId, id),
  ])) as [Traces[]?, Traces[]?];
  const traces = row ?? staged;
  if (traces === undefined) throw new AppError('CUSTOMER_NOT_FOUND');
  if (expected?.includes(revisionOf({ id, revision: traces.revision })) === false) throw changedMeanwhile();

  const at = runtime.now();
  const statements = [
    recordChange(actor, { at, action: 'DELETE /v1/bank/customer', subject: id, fields: [] }),
    ...eraseCustomer(bankId, id),
    scrubStaged(bankId, id, traces.email),
    scrubFailures(bankId, traces.clientRef),
  ];
  // Whether an answer that was lost came before or after the erasure, doing it again ends the same way.
  await runTogether(db, statements).catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
    return runTogether(db, statements);
  });
  if (traces.phrase !== null) await phraseCache.forget(bankId, traces.phrase);
}
