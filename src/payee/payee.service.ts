/** Resolves a phrase to a payee, whose bank may be any bank of the network. Free of HTTP. */
import type { Caller } from '../api-keys/caller.ts';
import { requireCheckedApiKey } from '../customers/customers.service.ts';
import type { Payee } from '../customers/customers.standard.ts';
import { toPayee } from '../customers/customers.view.ts';
import { payeeKey, type PhraseCache } from '../customers/phrase-cache.ts';
import { execute } from '../db/statements.ts';
import { normalisePhrase } from '../lib/phrase.ts';
import { MissBudget, type BudgetDeps } from './miss-budget.ts';
import { selectPayee } from './payee.store.ts';

export interface PayeeDeps extends BudgetDeps {
  payeeCache: PhraseCache<Payee>;
}

export interface Resolution {
  payee: Payee | null;
  cache: 'HIT' | 'MISS';
}

/** No customer has it. */
const NO_PHRASE = '-';

/**
 * Finds out who is behind a phrase. D1 calls: none for a cached payee, one for any other, two for none: the read, and
 * the count of the miss.
 * @param typed a phrase that cannot exist is looked for like any other: neither response nor time tells it from an
 *   unknown one
 * @throws RATE_LIMITED if the caller's bank has used up its budget of unknown phrases, for hits too; UNAVAILABLE if the
 *   caller's API key could not be checked, unless the payee is cached
 */
export async function resolvePayee(deps: PayeeDeps, caller: Caller, typed: string): Promise<Resolution> {
  const phrase = normalisePhrase(typed) ?? NO_PHRASE;
  const budget = new MissBudget(deps, caller.bankId);
  budget.requireLeft();
  const cached = await deps.payeeCache.read(payeeKey(phrase));
  if (cached !== null) return { payee: cached, cache: 'HIT' };
  requireCheckedApiKey(caller);
  await budget.countForgotten();
  const fill = deps.payeeCache.beginFill();
  const { payee, misses } = await readPayee(deps, budget, phrase);
  budget.requireLeftAfter(misses);
  if (payee === null) await budget.countMiss();
  else deps.runAfterResponse(fill(payee, async () => (await readPayee(deps, budget, phrase)).payee));
  return { payee, cache: 'MISS' };
}

/** Reads a payee, and how many misses the asking bank has. */
async function readPayee({ payeeDb }: PayeeDeps, budget: MissBudget, phrase: string) {
  const [row] = await execute(payeeDb, selectPayee(budget, phrase));
  const payee = row === undefined || row.phrase === null ? null : toPayee(row);
  return { payee, misses: row?.misses ?? 0 };
}
