/** The batch queue: the only file that sends to BATCH_QUEUE. Messages are pointers and hold no personal data. */
import * as z from 'zod/mini';
import { shardName } from '../databases/message.ts';
import { BINDING_DEADLINE_MS, withinDeadline, type Timer } from '../runtime.ts';

export const chunkPointer = z.strictObject({
  bankId: z.string(),
  batchId: z.string(),
  chunk: z.int(),
  shard: shardName,
  moveNumber: z.int(),
});
/** Which chunk of which batch to apply, and where its bank was when it was sent. Everything else is in D1. */
export type ChunkPointer = z.output<typeof chunkPointer>;

/** A chunk of a bank. */
export type ChunkKey = Pick<ChunkPointer, 'bankId' | 'batchId' | 'chunk'>;

/** Messages of one `sendBatch` at most: Queues' limit. 100 pointers are 10 KB of the 256 KB that it may hold. */
export const MAX_MESSAGES_PER_SEND = 100;

/** How long the queue has to deliver a pointer before the sweep resends it. The cron runs every minute. */
export const RESEND_AFTER_MS = 60_000;
/** The same for a chunk whose attempts failed, doubled with each, and for every chunk while the queue is long. */
export const MAX_RESEND_AFTER_MS = 300_000;

export interface BatchQueue {
  /**
   * Sends at most MAX_MESSAGES_PER_SEND pointers. Throws if the queue does not confirm within BINDING_DEADLINE_MS. It may
   * have sent some of them when it throws: sending twice is harmless.
   */
  send(pointers: ChunkPointer[]): Promise<void>;
  /** Returns about how many messages wait. Throws if the queue does not respond within BINDING_DEADLINE_MS. */
  countWaiting(): Promise<number>;
  /** Checks that the queue responds, and sends nothing. Throws what the queue throws. */
  check(): Promise<void>;
}

export function createBatchQueue(binding: Queue, timer: Timer): BatchQueue {
  return {
    send: async (pointers) => {
      const sending = binding.sendBatch(pointers.map((body) => ({ body })));
      await withinDeadline(timer, BINDING_DEADLINE_MS, 'QUEUE', sending);
    },
    countWaiting: async () => {
      const counting = binding.metrics();
      return (await withinDeadline(timer, BINDING_DEADLINE_MS, 'QUEUE', counting)).backlogCount;
    },
    check: async () => {
      await binding.metrics();
    },
  };
}
