/** Receivers of webhooks: a `fetch` that remembers what it was sent and answers as a test decides. */
import type { Runtime } from '../../src/runtime.ts';
import type { Service } from '../support/service.ts';

export interface Received {
  url: string;
  headers: Record<string, string>;
  text: string;
  event: { id: string; type: string; createdAt: string; data: Record<string, unknown> };
}

/** What a receiver answers: a status, or no response. */
export type Answer = number | Response | 'refuses' | 'hangs';

export class Receivers {
  readonly received: Received[] = [];
  /** By the number of the request, from 0, and its URL. */
  answer: (request: number, url: string) => Answer | Promise<Answer> = () => 204;

  readonly fetch: Runtime['fetch'] = async (url, init) => {
    const text = init.body as string;
    const headers = init.headers as Record<string, string>;
    this.received.push({ url, headers, text, event: JSON.parse(text) });
    const answer = await this.answer(this.received.length - 1, url);
    if (answer === 'refuses') throw new TypeError('fetch failed');
    if (answer === 'hangs') return new Promise<never>(() => {});
    return answer instanceof Response ? answer : new Response(null, { status: answer });
  };

  /** The ids of the events that were sent to a URL, in order. */
  ids(url?: string): string[] {
    return this.received.filter((one) => url === undefined || one.url === url).map(({ event }) => event.id);
  }
}

/** Creates a webhook of Lagos, or of another API key's bank, and returns it with its secret. */
export async function createWebhook(
  service: Service,
  body: { url?: string; types?: string[] } = {},
  apiKey?: string,
) {
  const { body: response } = await service.request('POST', '/v1/bank/webhooks', {
    body: { url: 'https://hooks.example.net/a', types: ALL_TYPES, ...body },
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return response.data;
}

export const ALL_TYPES = [
  'batch.completed',
  'batch.stalled',
  'customer.updated',
  'customer.erased',
  'webhook.disabled',
];
