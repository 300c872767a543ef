/**
 * The two demo banks, their API keys, and a customer to look up: the one in the reference's examples. They are only ever
 * written to a local database.
 */
import { createHash } from 'node:crypto';
import { BANK_SCOPES } from '../../src/api-keys/scopes.ts';
import type { FieldKey } from '../../src/crypto/field-cipher.ts';
import { sealFields } from '../../src/customers/sealed-fields.ts';
import { DEMO_CUSTOMER, EXAMPLE_BATCH_ID } from '../../src/openapi/examples.ts';
import { sqlText } from '../lib/wrangler.ts';

export const DEMO_BANKS = [
  { id: 'bnk_demo_lagos', name: 'Demo Bank Lagos' },
  { id: 'bnk_demo_accra', name: 'Demo Bank Accra' },
];

/** All that an API key may do with its own bank's customers. */
const ALL = BANK_SCOPES.join(' ');

export const DEMO_KEYS = [
  { id: 'key_demo_lagos_full', bankId: 'bnk_demo_lagos', key: 'peere_test_lagos_full', scopes: ALL },
  {
    id: 'key_demo_lagos_standard',
    bankId: 'bnk_demo_lagos',
    key: 'peere_test_lagos_standard',
    scopes: 'customers:read',
  },
  { id: 'key_demo_accra_full', bankId: 'bnk_demo_accra', key: 'peere_test_accra_full', scopes: ALL },
  { id: 'key_demo_network', bankId: 'bnk_demo_accra', key: 'peere_test_network', scopes: 'network:resolve' },
];

/** Fields of the demo customer that no response shows. */
export const DEMO_SECRETS = { accountNumber: '0123456789', reference: 'demo-1' };

/**
 * Returns SQL for the directory that may run any number of times. It undoes experiments (a revoked API key), so that the
 * first request of the README works after every start.
 */
export function demoDirectorySql(now: number): string {
  const banks = DEMO_BANKS.map(({ id, name }) => `('${id}', '${name}', 'SHARD_1', ${now})`);
  const keys = DEMO_KEYS.map(({ id, bankId, key, scopes }) => {
    const hash = createHash('sha256').update(key).digest('hex');
    return `('${hash}', '${id}', '${bankId}', 'demo', 'peere_test_', '${scopes}', ${now})`;
  });
  return [
    `INSERT INTO shards (name, number, created_at) VALUES ('SHARD_1', 1, ${now}) ON CONFLICT DO NOTHING;`,
    `INSERT INTO banks (id, name, shard, created_at) VALUES ${banks.join(', ')} ON CONFLICT DO NOTHING;`,
    `INSERT INTO api_keys (hash, id, bank_id, name, prefix, scopes, created_at)
     VALUES ${keys.join(', ')} ON CONFLICT (hash) DO UPDATE SET scopes = excluded.scopes, revoked_at = NULL;`,
  ].join('\n');
}

/** The same for SHARD_1, where both banks are created. The erased customer comes back, unless its bank has moved away. */
export async function demoShardSql(now: number, fieldKey: FieldKey): Promise<string> {
  const tenants = DEMO_BANKS.map(({ id }) => `('${id}', 'open')`);
  return [
    `INSERT INTO tenants (bank_id, state) VALUES ${tenants.join(', ')} ON CONFLICT DO NOTHING;`,
    await demoCustomerSql(fieldKey),
    demoBatchSql(now),
  ].join('\n');
}

const isOpen = (bankId: string) =>
  `EXISTS (SELECT 1 FROM tenants WHERE bank_id = '${bankId}' AND state = 'open')`;

/**
 * Inserts the customer if it is missing, and counts it for its bank. The phrase of an erased customer is never assigned
 * again; this customer is the only exception.
 */
async function demoCustomerSql(fieldKey: FieldKey): Promise<string> {
  const { id, bankId, phrase, email, accountName, country, state, address, gender, phone, createdAt } =
    DEMO_CUSTOMER;
  const texts = {
    bank_id: bankId,
    id,
    phrase,
    account_name: accountName,
    firstname: 'Adaobi',
    lastname: 'Okafor',
    country,
    state,
    address,
    gender,
    phone,
    sealed_fields: await sealFields(fieldKey, bankId, id, DEMO_SECRETS),
    client_ref: DEMO_SECRETS.reference,
  };
  const values = Object.values(texts).map(sqlText).join(', ');
  const isMissing = `${isOpen(bankId)}
    AND NOT EXISTS (SELECT 1 FROM customers WHERE bank_id = '${bankId}' AND id = '${id}')`;
  const isEmailTaken = `EXISTS (SELECT 1 FROM customers WHERE bank_id = '${bankId}' AND email = '${email}')`;
  return `UPDATE tenants SET customer_count = customer_count + 1 WHERE bank_id = '${bankId}' AND ${isMissing};
    DELETE FROM retired_phrases WHERE phrase = '${phrase}' AND ${isMissing};
    INSERT INTO customers (${Object.keys(texts).join(', ')}, email, batch_index, created_at)
    SELECT ${values}, CASE WHEN ${isEmailTaken} THEN lower(hex(randomblob(8))) || '@example.com' ELSE '${email}' END,
      0, ${Date.parse(createdAt)} WHERE ${isMissing};`;
}

/** Inserts the batch of the reference's examples, which created the demo customer. It was completed now, so that it is kept. */
function demoBatchSql(now: number): string {
  const { id, bankId, createdAt } = DEMO_CUSTOMER;
  const at = Date.parse(createdAt);
  // Not an upsert: a trigger refuses to insert a batch that exists.
  const isBatch = `bank_id = '${bankId}' AND id = '${EXAMPLE_BATCH_ID}'`;
  return `INSERT INTO audit_log (bank_id, at, request_id, key_id, action, subject, fields)
    SELECT '${bankId}', ${at}, 'req_demo', 'key_demo_lagos_full', 'batch.accepted', '${EXAMPLE_BATCH_ID}', '[]'
    WHERE ${isOpen(bankId)} ON CONFLICT DO NOTHING;
    INSERT INTO batches (bank_id, id, status, total, duplicates, invalid, first_customer_id, last_customer_id, created,
      created_at, completed_at)
    SELECT '${bankId}', '${EXAMPLE_BATCH_ID}', 'COMPLETED', 1, 0, 0, '${id}', '${id}', 1, ${at}, ${now}
    WHERE ${isOpen(bankId)} AND NOT EXISTS (SELECT 1 FROM batches WHERE ${isBatch});
    UPDATE batches SET completed_at = ${now} WHERE ${isBatch} AND ${isOpen(bankId)};`;
}
