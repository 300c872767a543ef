/**
 * The consumer of the webhook queue. It acknowledges its messages at once and delivers after that, so that a receiver that
 * hangs holds no message and no other endpoint: the queue only says that there may be something to do, and D1 knows what.
 */
import { endpointPointer, type EndpointPointer } from '../events/webhook-queue.ts';
import { deliverToEndpoint, type DeliveryDeps } from './delivery.ts';

/** Requests of one invocation: the platform allows six connections at a time. Messages of one batch, in wrangler.toml. */
export const MAX_REQUESTS = 4;

export interface ConsumerDeps extends DeliveryDeps {
  runAfterResponse: (work: Promise<void>) => void;
}

type Message = Pick<globalThis.Message, 'body' | 'ack' | 'retry'>;

export function deliverWebhooks(deps: ConsumerDeps, messages: readonly Message[]): void {
  const pointers = new Map<string, EndpointPointer>();
  for (const message of messages) {
    const pointer = endpointPointer.safeParse(message.body);
    if (!pointer.success) deps.runtime.log('error', { event: 'unreadable_message' });
    else if (pointers.size === MAX_REQUESTS) {
      message.retry();
      continue;
    } else pointers.set(pointer.data.endpointId, pointer.data);
    message.ack();
  }
  const maxRequests = Math.floor(MAX_REQUESTS / Math.max(pointers.size, 1));
  for (const pointer of pointers.values()) {
    deps.runAfterResponse(deliverToEndpoint(deps, pointer, maxRequests));
  }
}
