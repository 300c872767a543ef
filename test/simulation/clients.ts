/** The clients of a seed, and what they intend to do. */
import type { SentCustomer } from '../support/customers.ts';
import { API_KEYS } from '../support/banks.ts';
import type { Random } from './random.ts';

/** Part of every personal value. It may be in D1 and in fields of responses, and nowhere else. */
export const CANARY = 'CANARY';

export interface PostIntent {
  kind: 'post';
  apiKey: string;
  idempotencyKey: string | null;
  rows: SentCustomer[];
}

/** Erases this customer; by default, any. */
export interface EraseIntent {
  kind: 'erase';
  apiKey: string;
  about?: { id: string; email: string };
}

/** Asks who is behind the phrase of this customer; by default, of any customer of any bank. */
export interface PayeeIntent {
  kind: 'payee';
  about?: { id: string; phrase: string };
}

/** Updates this customer; by default, any. */
export interface UpdateIntent {
  kind: 'update';
  apiKey: string;
  about?: { id: string; phrase: string };
}

/** Looks up this customer in D1; by default, any. */
export interface ReadIntent {
  kind: 'read';
  apiKey: string;
  about?: { id: string };
}

export type Intent =
  | PostIntent
  | UpdateIntent
  | ReadIntent
  | EraseIntent
  | { kind: 'phrase'; apiKey: string; foreign: boolean }
  | PayeeIntent
  | { kind: 'batch'; apiKey: string; foreign: boolean };

export interface Client {
  intents: Intent[];
  busy: boolean;
}

const BANK_KEYS = [API_KEYS.full, API_KEYS.other];
/** So few that batches collide. */
const EMAIL_COUNT = 10;

function makeRows(random: Random, tag: string): SentCustomer[] {
  return Array.from({ length: random.between(1, 8) }, (_, n) => {
    const email = random.happens(0.07) ? 'broken' : `${random.below(EMAIL_COUNT)}@example.com`;
    return makeRow(random, `${tag}-${n}`, email);
  });
}

/** Customers whom no bank has. */
export function makeNewRows(random: Random): SentCustomer[] {
  return ['new-1', 'new-2', 'new-3'].map((tag) => makeRow(random, tag, `${tag}@example.com`));
}

function makeRow(random: Random, tag: string, email: string): SentCustomer {
  return {
    clientRef: tag,
    firstname: `${CANARY}first`,
    lastname: `${CANARY}last`,
    accountName: `${CANARY}name ${tag}`,
    email: CANARY + email,
    country: 'NG',
    address: random.happens(0.3) ? `${CANARY}street` : null,
    accountNumber: CANARY + tag,
    reference: `${CANARY}ref`,
  };
}

/** Makes two to four clients with a few intents each. Some share an Idempotency-Key, some with another body. */
export function makeClients(random: Random): Client[] {
  const posts: PostIntent[] = [];
  const makePost = (tag: string): PostIntent => {
    const earlier = posts.length > 0 ? random.pick(posts) : undefined;
    if (earlier?.idempotencyKey && random.happens(0.3)) {
      return random.happens(0.2) ? { ...earlier, rows: makeRows(random, `${tag}-other`) } : earlier;
    }
    const post: PostIntent = {
      kind: 'post',
      apiKey: random.pick(BANK_KEYS),
      idempotencyKey: random.happens(0.65) ? `key-${tag}` : null,
      rows: makeRows(random, tag),
    };
    posts.push(post);
    return post;
  };
  const clients = Array.from({ length: random.between(2, 4) }, (_, client): Client => ({
    busy: false,
    intents: Array.from({ length: random.between(2, 5) }, (__, n): Intent => {
      const apiKey = random.pick(BANK_KEYS);
      return random.weighted<() => Intent>([
        { weight: 5, choice: () => makePost(`c${client}i${n}`) },
        { weight: 2, choice: () => ({ kind: 'update', apiKey }) },
        { weight: 5, choice: () => ({ kind: 'erase', apiKey }) },
        { weight: 2.5, choice: () => ({ kind: 'phrase', apiKey, foreign: random.happens(0.5) }) },
        { weight: 2, choice: () => ({ kind: 'payee' }) },
        { weight: 1, choice: () => ({ kind: 'batch', apiKey, foreign: random.happens(0.3) }) },
      ])();
    }),
  }));
  // Up to three clients begin with the same Idempotency-Key.
  const shared = posts.find(({ idempotencyKey }) => idempotencyKey !== null);
  if (shared !== undefined && random.happens(0.8)) {
    for (const client of clients.slice(0, 3)) client.intents.unshift(shared);
  }
  return clients;
}

/** What a bank does from day to day, when its batches are sent. */
export function makeLaterIntent(random: Random): Intent {
  const apiKey = random.pick(BANK_KEYS);
  return random.weighted<Intent>([
    { weight: 3, choice: { kind: 'update', apiKey } },
    { weight: 1, choice: { kind: 'erase', apiKey } },
    { weight: 1, choice: { kind: 'phrase', apiKey, foreign: false } },
    { weight: 1, choice: { kind: 'payee' } },
    { weight: 2, choice: { kind: 'read', apiKey } },
  ]);
}
