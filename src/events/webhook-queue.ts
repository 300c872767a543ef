/**
 * The webhook queue: the only file that sends to WEBHOOK_QUEUE. It makes deliveries prompt and no more: which events an
 * endpoint still needs is in D1, and the cron finds every endpoint that a lost message was for.
 */
import * as z from 'zod/mini';
import { shardName } from '../databases/message.ts';
import type { Home } from '../databases/home.ts';
import { describeCause } from '../db/errors.ts';
import { inSlices } from '../lib/slices.ts';
import { BINDING_DEADLINE_MS, withinDeadline, type Runtime, type Timer } from '../runtime.ts';

export const endpointPointer = z.strictObject({
  bankId: z.string(),
  endpointId: z.string(),
  shard: shardName,
  moveNumber: z.int(),
});
/** An endpoint that may have something to be sent, and the shard in which it was found. */
export type EndpointPointer = z.output<typeof endpointPointer>;

/** An endpoint of a bank. */
export type EndpointKey = Pick<EndpointPointer, 'bankId' | 'endpointId'>;

/** Messages of one `sendBatch` at most: Queues' limit. */
const MAX_MESSAGES_PER_SEND = 100;

export interface WebhookQueue {
  /** Throws if the queue does not confirm within BINDING_DEADLINE_MS. Sending twice is harmless. */
  send(pointers: readonly EndpointPointer[], delaySeconds?: number): Promise<void>;
}

export function createWebhookQueue(binding: Queue, timer: Timer): WebhookQueue {
  return {
    send: async (pointers, delaySeconds = 0) => {
      for (const slice of inSlices([...pointers], MAX_MESSAGES_PER_SEND)) {
        const sending = binding.sendBatch(slice.map((body) => ({ body, delaySeconds })));
        await withinDeadline(timer, BINDING_DEADLINE_MS, 'QUEUE', sending);
      }
    },
  };
}

export interface WakeDeps {
  webhookQueue: WebhookQueue;
  runtime: Pick<Runtime, 'log'>;
}

/** Has these endpoints of one bank delivered to soon. Never rejects: if the queue fails, the next cron finds them. */
export async function wakeEndpoints(
  { webhookQueue, runtime }: WakeDeps,
  { shard, moveNumber }: Readonly<Home>,
  endpoints: readonly EndpointKey[],
  delaySeconds?: number,
): Promise<void> {
  if (endpoints.length === 0) return;
  try {
    const pointers = endpoints.map(({ bankId, endpointId }) => ({ bankId, endpointId, shard, moveNumber }));
    await webhookQueue.send(pointers, delaySeconds);
  } catch (error) {
    runtime.log('warn', {
      event: 'webhook_send_failed',
      endpoints: endpoints.length,
      cause: describeCause(error),
    });
  }
}
