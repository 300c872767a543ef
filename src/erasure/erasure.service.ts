/**
 * Erases a customer: its row, its cached value, its staged copies and its clientRef in failures. Its phrase is retired,
 * and the audit log records the erasure. A feature of its own, because it reaches into customers and batches alike.
 */
import type { Tenants } from '../databases/tenant.ts';
import type { Payee } from '../customers/customers.standard.ts';
import { customerKey, payeeKey, type CachedCustomer, type PhraseCache } from '../customers/phrase-cache.ts';
import { wakeEndpoints, type WakeDeps } from '../events/webhook-queue.ts';
import type { Runtime } from '../runtime.ts';
import type { ActingCaller } from '../api-keys/caller.ts';
import { selectStagedCopyKeys } from '../batches/process/chunks.store.ts';
import { preconditionFailed } from '../customers/customers.service.ts';
import { selectCopyKeys } from '../customers/customers.store.ts';
import { AppError } from '../errors.ts';
import { eraseCustomerStatements } from './erasure.store.ts';

export interface ErasureDeps extends WakeDeps {
  databases: Tenants;
  phraseCache: PhraseCache<CachedCustomer>;
  payeeCache: PhraseCache<Payee>;
  runtime: Pick<Runtime, 'now' | 'log'>;
  /** Work that the response does not wait for. */
  runAfterResponse: (work: Promise<void>) => void;
}

/**
 * @param id of a customer of the actor's bank, stored or staged
 * @param expected the customer must have one of these revisions; undefined: any
 * @throws CUSTOMER_NOT_FOUND, the same for an unknown, another bank's and an erased customer
 */
export async function eraseCustomer(
  deps: ErasureDeps,
  actor: ActingCaller,
  id: string,
  expected: string[] | undefined,
): Promise<void> {
  const { bankId } = actor;
  const tenant = deps.databases.tenantOf(actor);
  const [[stored], [staged]] = await tenant.readPrimary([
    selectCopyKeys(bankId, id),
    selectStagedCopyKeys(bankId, id),
  ]);
  const keys = stored ?? staged;
  if (keys === undefined) throw new AppError('CUSTOMER_NOT_FOUND');

  const statements = eraseCustomerStatements(actor, deps.runtime.now(), id, keys, expected);
  const { change, retired, due } = await tenant.writeRepeatable(statements);
  if (change.length === 0) {
    throw expected === undefined ? new AppError('CUSTOMER_NOT_FOUND') : preconditionFailed();
  }
  deps.runAfterResponse(wakeEndpoints(deps, tenant.home, due));
  // It may have been stored after it was looked up; and a repeated erasure does not return the phrase again.
  const phrase = retired[0]?.phrase ?? keys.phrase;
  if (phrase !== null) await forgetCachedValues(deps, bankId, phrase);
}

async function forgetCachedValues(deps: ErasureDeps, bankId: string, phrase: string): Promise<void> {
  const { phraseCache, payeeCache, runAfterResponse } = deps;
  const [ofBank, ofNetwork] = [customerKey(bankId, phrase), payeeKey(phrase)];
  await Promise.all([phraseCache.forget(ofBank), payeeCache.forget(ofNetwork)]);
  runAfterResponse(phraseCache.forgetAgain(ofBank));
  runAfterResponse(payeeCache.forgetAgain(ofNetwork));
}
