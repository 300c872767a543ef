/** Resolves a phrase to a payee, whose bank may be any bank of the network. Free of HTTP. */
import { confirmCaller, type Caller } from '../api-keys/caller.ts';
import type { Payee } from '../customers/customers.standard.ts';
import { payeeKey, type PhraseCache } from '../customers/phrase-cache.ts';
import type { Databases } from '../databases/databases.ts';
import { normalisePhrase } from '../lib/phrase.ts';
import { MissBudget, type BudgetDeps } from './miss-budget.ts';
import { PayeeQuestion } from './payee-routing.ts';

export interface PayeeDeps extends BudgetDeps {
  payeeCache: PhraseCache<Payee>;
  networkDatabases: Databases;
}

export interface Resolution {
  payee: Payee | null;
  cache: 'HIT' | 'MISS';
}

/** No customer has it. */
const NO_PHRASE = '-';

/**
 * Finds out who is behind a phrase. D1 calls: none for a cached payee, one for any other, two for none: the read, and
 * the count of the miss. If a replica answers, the primary is asked as well: behind a payee, and before the 404. One more
 * at the same time if the phrase is of another shard than the asking bank; two more for a payee that has moved.
 * @param typed a phrase that cannot exist is looked for like any other: neither response nor time tells it from an
 *   unknown one
 * @throws RATE_LIMITED if the caller's bank has used up its budget of unknown phrases, for hits too; what
 *   `confirmCaller` throws, unless the payee is cached
 */
export async function resolvePayee(deps: PayeeDeps, caller: Caller, typed: string): Promise<Resolution> {
  const phrase = normalisePhrase(typed) ?? NO_PHRASE;
  new MissBudget(deps, caller).requireLeft();
  const cached = await deps.payeeCache.read(payeeKey(phrase));
  if (cached !== null) return { payee: cached, cache: 'HIT' };
  const confirmed = await confirmCaller(caller);
  const budget = new MissBudget(deps, confirmed);
  await budget.countForgotten();
  const { nearest, primary, isCacheable } = new PayeeQuestion(
    deps.networkDatabases,
    confirmed,
    budget,
    phrase,
  );
  const source = { nearest, primary, isCacheable, toValue: (row: Payee | undefined) => row ?? null };
  const payee = await deps.payeeCache.readThrough(payeeKey(phrase), source, deps.runAfterResponse);
  if (payee === null) await budget.countMiss();
  return { payee, cache: 'MISS' };
}
