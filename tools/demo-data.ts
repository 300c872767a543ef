/** The two demo banks and their keys. For this machine only: they are written to a local database or not at all. */
import { createHash } from 'node:crypto';
import { SCOPES } from '../src/keys/scopes.ts';

export const DEMO_BANKS = [
  { id: 'bnk_demo_lagos', name: 'Demo Bank Lagos' },
  { id: 'bnk_demo_accra', name: 'Demo Bank Accra' },
];

const ALL = SCOPES.join(' ');

export const DEMO_KEYS = [
  { id: 'key_demo_lagos_full', bankId: 'bnk_demo_lagos', key: 'peere_test_lagos_full', scopes: ALL },
  {
    id: 'key_demo_lagos_standard',
    bankId: 'bnk_demo_lagos',
    key: 'peere_test_lagos_standard',
    scopes: 'customers:read',
  },
  { id: 'key_demo_accra_full', bankId: 'bnk_demo_accra', key: 'peere_test_accra_full', scopes: ALL },
];

/** SQL that may run any number of times. */
export function demoSql(now: number): string {
  const banks = DEMO_BANKS.map(({ id, name }) => `('${id}', '${name}', ${now})`);
  const keys = DEMO_KEYS.map(({ id, bankId, key, scopes }) => {
    const hash = createHash('sha256').update(key).digest('hex');
    return `('${hash}', '${id}', '${bankId}', 'demo', 'peere_test_', '${scopes}', ${now})`;
  });
  return [
    `INSERT INTO banks (id, name, created_at) VALUES ${banks.join(', ')} ON CONFLICT DO NOTHING;`,
    `INSERT INTO api_keys (hash, id, bank_id, name, prefix, scopes, created_at)
     VALUES ${keys.join(', ')} ON CONFLICT (hash) DO UPDATE SET scopes = excluded.scopes;`,
  ].join('\n');
}
