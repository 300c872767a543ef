/** The batch queue: the only file that sends to BATCH_QUEUE. What travels is pointers; no personal data does. */
import * as z from 'zod/mini';

export const chunkPointer = z.strictObject({ bankId: z.string(), batchId: z.string(), chunk: z.int() });
/** Which chunk of which batch to move in. Everything else is in D1. */
export type ChunkPointer = z.output<typeof chunkPointer>;

/** Most messages of one `sendBatch` (Queues' limit; 100 pointers are 10 KB of the 256 KB that it may hold). */
export const SEND_MOST = 100;

export interface BatchQueue {
  /** At most SEND_MOST pointers. May throw after having sent some of them: sending twice does no harm. */
  send(pointers: ChunkPointer[]): Promise<void>;
}

export function createBatchQueue(binding: Queue): BatchQueue {
  return {
    send: async (pointers) => {
      await binding.sendBatch(pointers.map((body) => ({ body })));
    },
  };
}
