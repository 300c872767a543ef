/**
 * The queue consumer: applies chunks. Each message is acknowledged or retried by itself, and never before its work is
 * committed. A message may come twice, late or out of order: the chunk's own row decides.
 */
import { drawPhrase } from '../../databases/first-words.ts';
import { bankOf } from '../../databases/message.ts';
import type { Tenant, Tenants } from '../../databases/tenant.ts';
import type { Statement } from '../../db/statements.ts';
import {
  describeCause,
  isConstraintFailure,
  isPhraseCollision,
  TenantNotOpenError,
} from '../../db/errors.ts';
import { letOthersWork, type Runtime } from '../../runtime.ts';
import type { FailureLimits } from '../failures.store.ts';
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
  type OpenChunk,
} from './chunks.store.ts';

/** The chance that one of 500 new phrases collides among 16 million is 1 in 1,000. Three times in a row: never seen. */
const MAX_REPHRASINGS = 3;

/** Seconds before a failed message is redelivered: 10, 20, 40 … and at most 5 minutes. */
function retryDelaySeconds(attempts: number): number {
  return Math.min(10 * 2 ** (attempts - 1), 300);
}

export interface ConsumerDeps extends WakeDeps {
  databases: Tenants;
  failureLimits: FailureLimits;
  runtime: Pick<Runtime, 'now' | 'random' | 'sleep' | 'log'>;
  /** Work that no message waits for. */
  runAfterResponse: (work: Promise<void>) => void;
}

type Message = Pick<globalThis.Message, 'body' | 'attempts' | 'ack' | 'retry'>;

/** One chunk at work. */
interface Work {
  deps: ConsumerDeps;
  tenant: Tenant;
  pointer: ChunkPointer;
}

export function consumeBatches(deps: ConsumerDeps, messages: readonly Message[]): Promise<void> {
  return forEachPointer(deps, messages, 'chunk_failed', async (work, retrySeconds) => {
    try {
      await applyChunkOrSplit(work);
    } catch (error) {
      if (!(error instanceof TenantNotOpenError)) await recordRetry(work, retrySeconds);
      throw error;
    }
    logChunk(deps, 'info', 'chunk_done', work.pointer);
  });
}

/**
 * Records when the queue will retry, so that the sweep does not send a copy before that. If D1 does not take this
 * write, the sweep can't read due chunks either; once D1 is back, each due chunk is sent once more than needed.
 */
async function recordRetry({ deps, tenant, pointer }: Work, retrySeconds: number): Promise<void> {
  const sendAgainAt = deps.runtime.now() + retrySeconds * 1_000 + RESEND_AFTER_MS;
  try {
    await tenant.write([updateFailedTry(pointer, sendAgainAt)]);
  } catch (error) {
    logChunk(deps, 'warn', 'failed_try_not_recorded', pointer, describeCause(error));
  }
}

/** A dead letter is an alarm, never the only copy. Its chunk stays open in D1, with its payload. */
export function consumeDeadLetters(deps: ConsumerDeps, messages: readonly Message[]): Promise<void> {
  return forEachPointer(deps, messages, 'dead_letter_failed', async ({ tenant, pointer }) => {
    const now = deps.runtime.now();
    const { stalled, due } = await tenant.write({
      ...stallChunk(pointer, now),
      due: selectDueEndpoints(pointer.bankId, now, 'batch.stalled'),
    });
    deps.runAfterResponse(wakeEndpoints(deps, tenant.home, due));
    // The dead letter of a chunk that has been applied since is no alarm.
    if (stalled.length > 0) logChunk(deps, 'error', 'batch_stalled', pointer);
  });
}

async function forEachPointer(
  deps: ConsumerDeps,
  messages: readonly Message[],
  failureEvent: LogEvent,
  handle: (work: Work, retrySeconds: number) => Promise<void>,
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
      const tenant = deps.databases.tenantOf(bankOf(pointer.data));
      await handle({ deps, tenant, pointer: pointer.data }, retrySeconds);
      message.ack();
    } catch (error) {
      // Its bank is moving, or has moved. Nothing was changed, and the sweep sends the chunk again where it is then.
      if (error instanceof TenantNotOpenError) {
        logChunk(deps, 'info', 'chunk_elsewhere', pointer.data);
        message.ack();
        continue;
      }
      logChunk(deps, 'warn', failureEvent, pointer.data, describeCause(error));
      message.retry({ delaySeconds: retrySeconds });
    }
    await letOthersWork(deps.runtime);
  }
}

/** Applies one chunk, whatever its rows are like. Throws only if a later attempt may succeed. */
async function applyChunkOrSplit(work: Work): Promise<void> {
  const { deps, pointer } = work;
  for (let rephrased = 0; ; rephrased += 1) {
    try {
      const statements = applyChunk(pointer, deps.runtime.now(), deps.failureLimits.stored);
      await executeAndWake(work, statements);
      return;
    } catch (error) {
      const collides = isPhraseCollision(error);
      if (!collides && isConstraintFailure(error)) return isolateBadRow(work);
      if (!collides || rephrased === MAX_REPHRASINGS) throw error;
      await drawNewPhrases(work);
    }
  }
}

/** Runs statements that may complete a batch, and has its event sent. */
async function executeAndWake({ deps, tenant }: Work, statements: Statement[]): Promise<void> {
  const due = selectDueEndpoints(tenant.bankId, deps.runtime.now(), 'batch.completed');
  const rows = await tenant.write({ statements, due });
  deps.runAfterResponse(wakeEndpoints(deps, tenant.home, rows.due));
}

/** Behind the guard, although it only reads: what is decided by it must be about an open bank. */
async function readOpenChunk({ tenant, pointer }: Work): Promise<OpenChunk | undefined> {
  const [[open]] = await tenant.write([selectOpenChunk(pointer)]);
  return open;
}

async function drawNewPhrases(work: Work): Promise<void> {
  const { deps, tenant, pointer } = work;
  const open = await readOpenChunk(work);
  const phrases = Array.from({ length: open?.rowCount ?? 0 }, () =>
    drawPhrase(tenant.home.shard, deps.runtime.random),
  );
  await tenant.write([updateChunkPhrases(pointer, phrases)]);
}

/** Splits the chunk until the row that a constraint refuses is alone. Each step is a transaction of its own. */
async function isolateBadRow(work: Work): Promise<void> {
  const { deps, tenant, pointer } = work;
  const { runtime } = deps;
  const open = await readOpenChunk(work);
  if (open === undefined) return;
  if (open.rowCount === 1) {
    logChunk(deps, 'error', 'row_rejected', pointer);
    await executeAndWake(work, rejectChunk(pointer, runtime.now(), deps.failureLimits.stored));
    return;
  }
  const { halves } = await tenant.write(splitChunk(pointer, runtime.now() + RESEND_AFTER_MS));
  for (const { chunk } of halves) await applyChunkOrSplit({ ...work, pointer: { ...pointer, chunk } });
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
