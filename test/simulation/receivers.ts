/** The receivers of webhooks: what each was sent, in which order, and whether two deliverers sent to one at once. */
import { RECEIVER_DEADLINE_MS } from '../../src/webhooks/receiver.ts';
import { ACCRA, LAGOS } from '../support/banks.ts';
import { CANARY } from './clients.ts';
import type { CallOutcome, Scheduler } from './scheduler.ts';

export interface SimulatedEndpoint {
  bank: string;
  id: string;
  types: string[];
}

/** One bank wants everything, the other some types only. */
export const ENDPOINTS: SimulatedEndpoint[] = [
  {
    bank: LAGOS,
    id: 'whk_lagos',
    types: ['batch.completed', 'batch.stalled', 'customer.updated', 'customer.erased', 'webhook.disabled'],
  },
  { bank: ACCRA, id: 'whk_accra', types: ['batch.completed', 'customer.erased'] },
];

const ROOT = 'https://hooks.example.net/';
export const urlOf = ({ id }: SimulatedEndpoint) => ROOT + id;

/** Statuses of answers that are no success. */
const STATUSES: Partial<Record<CallOutcome, number>> = { fails: 500, redirects: 302, gone: 410 };

interface Sending {
  endpointId: string;
  startedAt: number;
}

export class Receivers {
  /** The bodies that each endpoint took, in order. */
  readonly taken = new Map<string, string[]>();
  readonly violations: string[] = [];
  readonly #scheduler: Scheduler;
  readonly #sending = new Set<Sending>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  readonly fetch = (url: string, { body, signal }: RequestInit): Promise<Response> => {
    const endpointId = url.slice(ROOT.length);
    const text = body as string;
    if (text.includes(CANARY)) this.violations.push('an event holds personal data');
    const sending = this.#begin(endpointId);
    signal?.addEventListener('abort', () => this.#sending.delete(sending));
    return this.#scheduler.park('receiver', async (outcome) => {
      this.#sending.delete(sending);
      if (outcome === 'before') throw new TypeError('connection refused');
      const status = STATUSES[outcome];
      if (status !== undefined) return new Response(null, { status });
      this.taken.set(endpointId, [...(this.taken.get(endpointId) ?? []), text]);
      if (outcome === 'after') throw new TypeError('connection lost');
      return new Response(null, { status: 204 });
    });
  };

  #begin(endpointId: string): Sending {
    const { now } = this.#scheduler;
    for (const other of this.#sending) {
      // An older one has been given up, or its deliverer is dead.
      if (other.endpointId === endpointId && now - other.startedAt < RECEIVER_DEADLINE_MS)
        this.violations.push('two deliverers send to one endpoint at once');
    }
    const sending = { endpointId, startedAt: now };
    this.#sending.add(sending);
    return sending;
  }
}
