/** Two banks, API keys of every kind that the routes tell apart, and a webhook. */
import { env } from 'cloudflare:workers';
import { checksumOf } from '../../src/api-keys/api-key-checksum.ts';
import { hashApiKey } from '../../src/api-keys/api-keys.service.ts';
import { SCOPES } from '../../src/api-keys/scopes.ts';
import { EVENT_TYPES } from '../../src/events/event-types.ts';
import { importFieldKey, sealField } from '../../src/crypto/field-cipher.ts';
import type { Seed } from './empty-bindings.ts';

export const LAGOS = 'bnk_lagos';
export const ACCRA = 'bnk_accra';

/** Where both banks are, as a message says it. */
export const HOME = { shard: 'SHARD_1', moveNumber: 0 } as const;

/** Of Lagos. It is disabled, so that it takes no part in a test unless the test enables it. */
export const WEBHOOK_ID = 'whk_01K0000000000000000000000A';
export const WEBHOOK_SECRET = `whsec_${btoa('0123456789abcdef'.repeat(2))}`;

const sealedSecret = (async () => {
  const fieldKey = await importFieldKey(1, env.FIELD_KEY_1 ?? '');
  return sealField(fieldKey, { bankId: LAGOS, ownerId: WEBHOOK_ID, field: 'webhookSecret' }, WEBHOOK_SECRET);
})();

const ALL_SCOPES = SCOPES.join(' ');

const LIVE_BODY = `peere_live_${'A'.repeat(43)}`;

export const API_KEYS = {
  /** Of Lagos, with every scope. */
  full: 'peere_test_lagos_full',
  /** `customers:read` alone. */
  standard: 'peere_test_lagos_standard',
  /** `customers:write` alone. */
  writer: 'peere_test_lagos_writer',
  /** `network:resolve` alone, of Accra. */
  network: 'peere_test_accra_network',
  /** No scopes. */
  unscoped: 'peere_test_lagos_unscoped',
  revoked: 'peere_test_lagos_revoked',
  expired: 'peere_test_lagos_expired',
  /** Of Accra, the other bank, with every scope. */
  other: 'peere_test_accra_full',
  otherStandard: 'peere_test_accra_standard',
  live: LIVE_BODY + checksumOf(LIVE_BODY),
} as const;

interface ApiKeyRow {
  key: string;
  bank?: string;
  scopes?: string;
  expiresAt?: number;
  revokedAt?: number;
}

const API_KEY_ROWS: ApiKeyRow[] = [
  { key: API_KEYS.full },
  { key: API_KEYS.standard, scopes: 'customers:read' },
  { key: API_KEYS.writer, scopes: 'customers:write' },
  { key: API_KEYS.network, bank: ACCRA, scopes: 'network:resolve' },
  { key: API_KEYS.unscoped, scopes: '' },
  { key: API_KEYS.revoked, revokedAt: 1 },
  { key: API_KEYS.expired, expiresAt: 1 },
  { key: API_KEYS.other, bank: ACCRA },
  { key: API_KEYS.otherStandard, bank: ACCRA, scopes: 'customers:read' },
  { key: API_KEYS.live },
];

/** What is stored of the API keys, as JSON. */
const apiKeyRows = Promise.all(
  API_KEY_ROWS.map(async ({ key, bank = LAGOS, scopes = ALL_SCOPES, ...times }) => ({
    hash: await hashApiKey(key),
    id: key.replace(/^peere_(test|live)/, 'key'),
    bank,
    scopes,
    ...times,
  })),
).then((rows) => JSON.stringify(rows));

/** Both banks are in SHARD_1; SHARD_2 is registered, and has none. */
export async function seedOfBanks({ DIRECTORY, SHARD_1 }: Cloudflare.Env): Promise<Seed> {
  const shard = DIRECTORY.prepare('INSERT INTO shards (name, number, created_at) VALUES (?, ?, 0)');
  const bank = DIRECTORY.prepare(
    "INSERT INTO banks (id, name, shard, created_at) VALUES (?, ?, 'SHARD_1', 0)",
  );
  const keys = DIRECTORY.prepare(
    `INSERT INTO api_keys (hash, id, bank_id, name, prefix, scopes, created_at, expires_at, revoked_at)
     SELECT value ->> 'hash', value ->> 'id', value ->> 'bank', 'test', 'peere_test_', value ->> 'scopes', 0,
       value ->> 'expiresAt', value ->> 'revokedAt' FROM json_each(?)`,
  );
  const tenant = SHARD_1.prepare("INSERT INTO tenants (bank_id, state) VALUES (?, 'open')");
  const webhook = SHARD_1.prepare(
    `INSERT INTO webhook_endpoints (bank_id, id, url, types, secret, status, disabled_at, disabled_reason, position, created_at)
     VALUES (?, ?, 'https://hooks.example.net/peere', ?, ?, 'DISABLED', 0, 'GONE', 0, 0)`,
  );
  return {
    DIRECTORY: [
      shard.bind('SHARD_1', 1),
      shard.bind('SHARD_2', 2),
      bank.bind(LAGOS, 'Lagos'),
      bank.bind(ACCRA, 'Accra'),
      keys.bind(await apiKeyRows),
    ],
    SHARD_1: [
      tenant.bind(LAGOS),
      tenant.bind(ACCRA),
      webhook.bind(LAGOS, WEBHOOK_ID, JSON.stringify(EVENT_TYPES), await sealedSecret),
    ],
  };
}
