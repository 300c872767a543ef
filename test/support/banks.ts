/** Two banks, and keys of every kind that the routes tell apart. */
import { checksumOf } from '../../src/api-keys/api-key-checksum.ts';
import { hashApiKey } from '../../src/api-keys/api-keys.service.ts';
import { SCOPES } from '../../src/api-keys/scopes.ts';

export const LAGOS = 'bnk_lagos';
export const ACCRA = 'bnk_accra';

const ALL = SCOPES.join(' ');

const LIVE = `peere_live_${'A'.repeat(43)}`;

export const KEYS = {
  /** Every scope, of Lagos. */
  full: 'peere_test_lagos_full',
  /** `customers:read` alone. */
  standard: 'peere_test_lagos_standard',
  /** `customers:write` alone. */
  writer: 'peere_test_lagos_writer',
  /** No scope at all. */
  powerless: 'peere_test_lagos_powerless',
  revoked: 'peere_test_lagos_revoked',
  expired: 'peere_test_lagos_expired',
  /** Every scope, of the other bank. */
  other: 'peere_test_accra_full',
  otherStandard: 'peere_test_accra_standard',
  live: LIVE + checksumOf(LIVE),
} as const;

interface KeyRow {
  key: string;
  bank?: string;
  scopes?: string;
  expiresAt?: number;
  revokedAt?: number;
}

const ROWS: KeyRow[] = [
  { key: KEYS.full },
  { key: KEYS.standard, scopes: 'customers:read' },
  { key: KEYS.writer, scopes: 'customers:write' },
  { key: KEYS.powerless, scopes: '' },
  { key: KEYS.revoked, revokedAt: 1 },
  { key: KEYS.expired, expiresAt: 1 },
  { key: KEYS.other, bank: ACCRA },
  { key: KEYS.otherStandard, bank: ACCRA, scopes: 'customers:read' },
  { key: KEYS.live },
];

export async function seedBanks(db: D1Database): Promise<void> {
  const bank = db.prepare('INSERT INTO banks (id, name, created_at) VALUES (?, ?, 0)');
  const key = db.prepare(
    `INSERT INTO api_keys (hash, id, bank_id, name, prefix, scopes, created_at, expires_at, revoked_at)
     VALUES (?, ?, ?, 'test', 'peere_test_', ?, 0, ?, ?)`,
  );
  const hashes = await Promise.all(ROWS.map((row) => hashApiKey(row.key)));
  await db.batch([
    bank.bind(LAGOS, 'Lagos'),
    bank.bind(ACCRA, 'Accra'),
    ...ROWS.map((row, index) =>
      key.bind(
        hashes[index],
        row.key.replace(/^peere_(test|live)/, 'key'),
        row.bank ?? LAGOS,
        row.scopes ?? ALL,
        row.expiresAt ?? null,
        row.revokedAt ?? null,
      ),
    ),
  ]);
}
