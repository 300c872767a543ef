/**
 * The queue consumer: applies chunks. Each message is acknowledged or retried by itself, and never before its work is
 * committed. A message may come twice, late or out of order: the chunk's own row decides.
 */
import { execute, executeBatch, WRITE_DEADLINE_MS, type Statement } from '../../db/statements.ts';
import { describeCause, isConstraintFailure, isPhraseCollision } from '../../db/errors.ts';
import type { PrimarySession } from '../../db/session.ts';
import type { Runtime } from '../../runtime.ts';
import type { FailureLimits } from '../failures.store.ts';
import { createPhrase } from '../../lib/phrase.ts';
import type { LogEvent } from '../../log-events.ts';
import { selectDueEndpoints } from '../../events/due-endpoints.store.ts';
import { wakeEndpoints, type WakeDeps } from '../../events/webhook-queue.ts';
import { chunkPointer, RESEND_AFTER_MS, type ChunkPointer } from '../batch-queue.ts';
import {
  selectOpenChunk,
  applyChunk,
  updateFailedTry,
  rejectChunk,
  updateChunkPhrases,
  splitChunk,
  stallChunk,
} from './chunks.store.ts';

/** The chance that one of 500 new phrases collides among 16 million is 1 in 1,000. Three times in a row: never seen. */
const MAX_REPHRASINGS = 3;

/** A pause after each chunk: long enough for the event loop to look for new requests. */
const PAUSE_MS = 1;
/** A pause that takes longer than this was used by other requests, so they get another one. */
const IDLE_PAUSE_MS = 3;
/** So the import goes on, however busy the isolate is. */
const MAX_PAUSES = 10;

/** Seconds before a failed message is redelivered: 10, 20, 40 … and at most 5 minutes. */
function retryDelaySeconds(attempts: number): number {
  return Math.min(10 * 2 ** (attempts - 1), 300);
}

export interface ConsumerDeps extends WakeDeps {
  db: PrimarySession;
  failureLimits: FailureLimits;
  runtime: Pick<Runtime, 'now' | 'random' | 'sleep' | 'log'>;
  /** Work that no message waits for. */
  runAfterResponse: (work: Promise<void>) => void;
}

type Message = Pick<globalThis.Message, 'body' | 'attempts' | 'ack' | 'retry'>;

export function consumeBatches(deps: ConsumerDeps, messages: readonly Message[]): Promise<void> {
  return forEachPointer(deps, messages, 'chunk_failed', async (pointer, retrySeconds) => {
    try {
      await applyChunkOrSplit(deps, pointer);
    } catch (error) {
      await recordRetry(deps, pointer, retrySeconds);
      throw error;
    }
    logChunk(deps, 'info', 'chunk_done', pointer);
  });
}

/**
 * Records when the queue will retry, so that the sweep does not send a copy before that. If D1 does not take this
 * write, the sweep can't read due chunks either; once D1 is back, each due chunk is sent once more than needed.
 */
async function recordRetry(deps: ConsumerDeps, pointer: ChunkPointer, retrySeconds: number): Promise<void> {
  const sendAgainAt = deps.runtime.now() + retrySeconds * 1_000 + RESEND_AFTER_MS;
  try {
    await execute(deps.db, updateFailedTry(pointer, sendAgainAt), WRITE_DEADLINE_MS);
  } catch (error) {
    logChunk(deps, 'warn', 'failed_try_not_recorded', pointer, describeCause(error));
  }
}

/** A dead letter is an alarm, never the only copy. Its chunk stays open in D1, with its payload. */
export function consumeDeadLetters(deps: ConsumerDeps, messages: readonly Message[]): Promise<void> {
  return forEachPointer(deps, messages, 'dead_letter_failed', async (pointer) => {
    const now = deps.runtime.now();
    const { stalled, due } = await executeBatch(
      deps.db,
      { ...stallChunk(pointer, now), due: selectDueEndpoints(pointer.bankId, now, 'batch.stalled') },
      WRITE_DEADLINE_MS,
    );
    deps.runAfterResponse(wakeEndpoints(deps, due));
    // The dead letter of a chunk that has been applied since is no alarm.
    if (stalled.length > 0) logChunk(deps, 'error', 'batch_stalled', pointer);
  });
}

async function forEachPointer(
  deps: ConsumerDeps,
  messages: readonly Message[],
  failureEvent: LogEvent,
  work: (pointer: ChunkPointer, retrySeconds: number) => Promise<void>,
): Promise<void> {
  for (const message of messages) {
    const retrySeconds = retryDelaySeconds(message.attempts);
    const pointer = chunkPointer.safeParse(message.body);
    if (!pointer.success) {
      deps.runtime.log('error', { event: 'unreadable_message' });
      message.ack();
      continue;
    }
    try {
      await work(pointer.data, retrySeconds);
      message.ack();
    } catch (error) {
      logChunk(deps, 'warn', failureEvent, pointer.data, describeCause(error));
      message.retry({ delaySeconds: retrySeconds });
    }
    await letOthersWork(deps.runtime);
  }
}

async function letOthersWork({ now, sleep }: Pick<Runtime, 'now' | 'sleep'>): Promise<void> {
  for (let pauses = 0; pauses < MAX_PAUSES; pauses += 1) {
    const pausedAt = now();
    await sleep(PAUSE_MS);
    if (now() - pausedAt <= IDLE_PAUSE_MS) return;
  }
}

/** Applies one chunk, whatever its rows are like. Throws only if a later attempt may succeed. */
async function applyChunkOrSplit(deps: ConsumerDeps, pointer: ChunkPointer): Promise<void> {
  for (let rephrased = 0; ; rephrased += 1) {
    try {
      const statements = applyChunk(pointer, deps.runtime.now(), deps.failureLimits.stored);
      await executeAndWake(deps, pointer, statements);
      return;
    } catch (error) {
      const collides = isPhraseCollision(error);
      if (!collides && isConstraintFailure(error)) return isolateBadRow(deps, pointer);
      if (!collides || rephrased === MAX_REPHRASINGS) throw error;
      await drawNewPhrases(deps, pointer);
    }
  }
}

/** Runs statements that may complete a batch, and has its event sent. */
async function executeAndWake(
  deps: ConsumerDeps,
  { bankId }: ChunkPointer,
  statements: Statement[],
): Promise<void> {
  const due = selectDueEndpoints(bankId, deps.runtime.now(), 'batch.completed');
  const rows = await executeBatch(deps.db, { statements, due }, WRITE_DEADLINE_MS);
  deps.runAfterResponse(wakeEndpoints(deps, rows.due));
}

async function drawNewPhrases(deps: ConsumerDeps, pointer: ChunkPointer): Promise<void> {
  const [open] = await execute(deps.db, selectOpenChunk(pointer));
  const phrases = Array.from({ length: open?.rowCount ?? 0 }, () => createPhrase(deps.runtime.random));
  await execute(deps.db, updateChunkPhrases(pointer, phrases), WRITE_DEADLINE_MS);
}

/** Splits the chunk until the row that a constraint refuses is alone. Each step is a transaction of its own. */
async function isolateBadRow(deps: ConsumerDeps, pointer: ChunkPointer): Promise<void> {
  const { db, runtime } = deps;
  const [open] = await execute(db, selectOpenChunk(pointer));
  if (open === undefined) return;
  if (open.rowCount === 1) {
    logChunk(deps, 'error', 'row_rejected', pointer);
    await executeAndWake(deps, pointer, rejectChunk(pointer, runtime.now(), deps.failureLimits.stored));
    return;
  }
  const split = splitChunk(pointer, runtime.now() + RESEND_AFTER_MS);
  const { halves } = await executeBatch(db, split, WRITE_DEADLINE_MS);
  for (const { chunk } of halves) await applyChunkOrSplit(deps, { ...pointer, chunk });
}

function logChunk(
  deps: ConsumerDeps,
  level: 'info' | 'warn' | 'error',
  event: LogEvent,
  { bankId, batchId, chunk }: ChunkPointer,
  cause: string | null = null,
): void {
  deps.runtime.log(level, { event, bank: bankId, batch: batchId, chunk, cause });
}
