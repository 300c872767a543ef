/** Moves a bank to another shard as a finished move leaves it, without the steps of a move. */
import { env } from 'cloudflare:workers';

type Shard = 'SHARD_1' | 'SHARD_2';

const TABLES = [
  'customers',
  'audit_log',
  'batches',
  'batch_chunks',
  'batch_failures',
  'idempotency_keys',
  'events',
  'webhook_endpoints',
];

export function setTenant(shard: Shard, bankId: string, state: string, moveNumber = 0): Promise<unknown> {
  return env[shard]
    .prepare(
      `INSERT INTO tenants (bank_id, state, move_number) VALUES (?1, ?2, ?3)
       ON CONFLICT DO UPDATE SET state = ?2, move_number = ?3`,
    )
    .bind(bankId, state, moveNumber)
    .run();
}

export function setHome(bankId: string, shard: Shard, moveNumber: number): Promise<unknown> {
  return env.DIRECTORY.prepare('UPDATE banks SET shard = ?, move_number = ? WHERE id = ?')
    .bind(shard, moveNumber, bankId)
    .run();
}

async function copyTable(table: string, bankId: string, source: Shard, target: Shard): Promise<void> {
  const { results } = await env[source]
    .prepare(`SELECT * FROM ${table} WHERE bank_id = ?`)
    .bind(bankId)
    .all();
  for (const row of results) {
    const names = Object.keys(row);
    await env[target]
      .prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`)
      .bind(...Object.values(row))
      .run();
  }
}

export async function moveByHand(bankId: string, target: Shard, moveNumber = 1): Promise<void> {
  const source = target === 'SHARD_1' ? 'SHARD_2' : 'SHARD_1';
  await setTenant(source, bankId, 'leaving', moveNumber);
  await setTenant(target, bankId, 'arriving', moveNumber);
  for (const table of TABLES) await copyTable(table, bankId, source, target);
  await setHome(bankId, target, moveNumber);
  await setTenant(source, bankId, 'moved', moveNumber);
  const counters = await env[source]
    .prepare('SELECT customer_count, event_sequence FROM tenants WHERE bank_id = ?')
    .bind(bankId)
    .first<{ customer_count: number; event_sequence: number }>();
  await env[target]
    .prepare('UPDATE tenants SET customer_count = ?, event_sequence = ? WHERE bank_id = ?')
    .bind(counters?.customer_count, counters?.event_sequence, bankId)
    .run();
  await setTenant(target, bankId, 'open', moveNumber);
  // What cleaning does: the rows go, and the phrases are retired.
  await env[source].batch([
    env[source]
      .prepare('INSERT INTO retired_phrases SELECT phrase, bank_id FROM customers WHERE bank_id = ?')
      .bind(bankId),
    ...TABLES.map((table) => env[source].prepare(`DELETE FROM ${table} WHERE bank_id = ?`).bind(bankId)),
  ]);
}
