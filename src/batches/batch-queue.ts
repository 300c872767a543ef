/** The batch queue: the only file that sends to BATCH_QUEUE. What travels is pointers; no personal data does. */
import * as z from 'zod/mini';
import { BINDING_DEADLINE_MS, withinDeadline, type Timer } from '../runtime.ts';

export const chunkPointer = z.strictObject({ bankId: z.string(), batchId: z.string(), chunk: z.int() });
/** Which chunk of which batch to move in. Everything else is in D1. */
export type ChunkPointer = z.output<typeof chunkPointer>;

/** Most messages of one `sendBatch` (Queues' limit; 100 pointers are 10 KB of the 256 KB that it may hold). */
export const MAX_MESSAGES_PER_SEND = 100;

/** How long the queue has to deliver a pointer before the sweep sends it again. The cron runs every minute. */
export const RESEND_AFTER_MS = 60_000;
/** The same for a chunk that was tried in vain, doubled with each try: at most this. */
export const MAX_RESEND_AFTER_MS = 300_000;

export interface BatchQueue {
  /**
   * At most SEND_MOST pointers. May throw after having sent some of them: sending twice does no harm. Throws after
   * BINDING_DEADLINE_MS without an answer, too.
   */
  send(pointers: ChunkPointer[]): Promise<void>;
  /** Does the queue answer? Sends nothing. Throws what it throws. */
  check(): Promise<void>;
}

export function createBatchQueue(binding: Queue, timer: Timer): BatchQueue {
  return {
    send: async (pointers) => {
      const sending = binding.sendBatch(pointers.map((body) => ({ body })));
      await withinDeadline(timer, BINDING_DEADLINE_MS, 'QUEUE', sending);
    },
    check: async () => {
      await binding.metrics();
    },
  };
}
