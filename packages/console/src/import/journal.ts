/**
 * Remembers in this browser which import a file belongs to, so that a closed tab can go on when the same file is chosen
 * again. It has ids, counts and the mapping; nothing of a customer. It is written before the first batch is sent: the
 * Idempotency-Key of each batch derives from it, so a batch whose acceptance was not recorded is not created twice.
 */
import type { Plan } from './plan.ts';

export interface Journal {
  /** Random id of the import; with the number of a batch, it is the batch's Idempotency-Key. */
  id: string;
  plan: Plan;
  /** Milliseconds since 1970. */
  startedAt: number;
  accepted: [batch: number, batchId: string][];
  isFinished: boolean;
}

const PREFIX = 'peere-import';
/** The service keeps the results of a batch for 30 days. */
const KEPT_MS = 30 * 24 * 3_600_000;

const nameOf = (bankId: string, fingerprint: string) => `${PREFIX}:${bankId}:${fingerprint}`;

export function readJournal(bankId: string, fingerprint: string): Journal | undefined {
  const text = localStorage.getItem(nameOf(bankId, fingerprint));
  if (text === null) return undefined;
  const journal = JSON.parse(text) as Journal;
  return journal.startedAt + KEPT_MS < Date.now() ? undefined : journal;
}

export function beginJournal(plan: Plan): Journal {
  return { id: crypto.randomUUID(), plan, startedAt: Date.now(), accepted: [], isFinished: false };
}

export function writeJournal(bankId: string, fingerprint: string, journal: Journal): void {
  localStorage.setItem(nameOf(bankId, fingerprint), JSON.stringify(journal));
}

export function removeExpiredJournals(): void {
  for (const name of Object.keys(localStorage)) {
    if (!name.startsWith(`${PREFIX}:`)) continue;
    const { startedAt } = JSON.parse(localStorage.getItem(name) ?? '{"startedAt":0}') as Journal;
    if (startedAt + KEPT_MS < Date.now()) localStorage.removeItem(name);
  }
}
