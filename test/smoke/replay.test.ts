/**
 * After a restore of the database, erased customers and revoked API keys must not come back. Instead of D1 Time Travel,
 * which only Cloudflare has, the test restores the files of a local database. Part of `npm run smoke`.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { eraseCustomerStatements } from '../../src/erasure/erasure.store.ts';
import { textOf } from '../../tools/lib/sql.ts';
import { withLocalDatabases } from '../../tools/lib/local-d1.ts';
import { applyLocalMigrations } from '../../tools/lib/migrations.ts';
import { d1, d1Each, projectFolder } from '../../tools/lib/wrangler.ts';

const BANK = 'bnk_replay';
const SINCE = Date.UTC(2026, 10, 25, 9);

let folder: string;
const target = () => ({ remote: false as const, persistTo: join(folder, 'state') });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peere-replay-'));
  const databases = ['DIRECTORY', 'SHARD_1'] as const;
  await withLocalDatabases(target().persistTo, databases, async (execute) => {
    for (const database of databases) await applyLocalMigrations(execute, database);
  });
});
after(() => rm(folder, { recursive: true, force: true }));

async function replay(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['tools/admin/replay.ts', ...args, '--persist-to', join(folder, 'state')],
    { cwd: projectFolder },
  );
  return stdout;
}

const insertKey = (id: string, createdAt: number) =>
  `INSERT INTO api_keys (hash, id, bank_id, name, prefix, scopes, created_at)
   VALUES ('hash of ${id}', '${id}', '${BANK}', 'test', 'peere_test_', 'customers:read', ${createdAt})`;

const insertCustomer = (name: string) =>
  `UPDATE tenants SET customer_count = customer_count + 1 WHERE bank_id = '${BANK}';
   INSERT INTO customers (bank_id, id, phrase, email, account_name, firstname, lastname, country, sealed_fields,
     client_ref, batch_index, created_at)
   VALUES ('${BANK}', 'cus_${name}', 'phrase of ${name}', '${name}@example.com', 'A B', 'A', 'B', 'NG', '1.x',
     'ref-${name}', 0, 1)`;

/** @returns the SQL with which the API erases */
const erase = (name: string, minute: number) =>
  textOf(
    eraseCustomerStatements(
      { bankId: BANK, apiKeyId: 'key_kept', requestId: `req_${name}` },
      SINCE + minute * 60_000,
      `cus_${name}`,
      { email: `${name}@example.com`, clientRef: `ref-${name}`, phrase: `phrase of ${name}` },
      undefined,
    ),
  );

/** @returns SQL for a customer that is accepted but not processed: a staged row begins with index, id and phrase. */
const insertStaged = (name: string) => {
  const staged = JSON.stringify([
    [0, `cus_${name}`, `phrase of ${name}`, `ref-${name}`, `${name}@example.com`],
  ]);
  return `INSERT INTO batches (bank_id, id, status, total, duplicates, invalid, first_customer_id, last_customer_id, created_at)
      VALUES ('${BANK}', 'bat_open', 'PROCESSING', 1, 0, 0, 'cus_${name}', 'cus_${name}', 1);
    INSERT INTO batch_chunks (bank_id, batch_id, chunk, first_index, last_index, row_count, payload)
      VALUES ('${BANK}', 'bat_open', 0, 0, 0, 1, '${staged}')`;
};

void describe('npm run replay, after a restore of the database', () => {
  void it(
    'erases the erased customers again and revokes the revoked API keys again',
    { timeout: 600_000 },
    async () => {
      await d1(
        target(),
        'DIRECTORY',
        [
          "INSERT INTO shards (name, number, created_at) VALUES ('SHARD_1', 1, 1)",
          `INSERT INTO banks (id, name, shard, created_at) VALUES ('${BANK}', 'Replay', 'SHARD_1', 1)`,
          insertKey('key_kept', 1),
          insertKey('key_revoked', 1),
        ].join(';\n'),
      );
      await d1(
        target(),
        'SHARD_1',
        [
          `INSERT INTO tenants (bank_id, state) VALUES ('${BANK}', 'open')`,
          ...['kept', 'erased'].map(insertCustomer),
          insertStaged('staged'),
        ].join(';\n'),
      );
      // The state that is restored later.
      await cp(join(folder, 'state'), join(folder, 'bookmark'), { recursive: true });

      await d1(
        target(),
        'DIRECTORY',
        [
          insertKey('key_late', SINCE + 4),
          `UPDATE api_keys SET revoked_at = ${SINCE + 5} WHERE id = 'key_revoked'`,
        ].join(';\n'),
      );
      await d1(
        target(),
        'SHARD_1',
        [
          erase('erased', 1),
          erase('staged', 2),
          insertCustomer('late'),
          erase('late', 3),
          `INSERT INTO audit_log VALUES ('${BANK}', ${SINCE + 6}, 'req_batch', 'key_kept', 'POST /v1/bank/customers', 'bat_late', '[]')`,
        ].join(';\n'),
      );
      const file = join(folder, 'replay.json');
      const since = ['--since', new Date(SINCE).toISOString()];
      assert.match(await replay('export', file, ...since), /^3 erasures and 1 revoked API keys/);
      const log = 'SELECT * FROM audit_log ORDER BY at, request_id';
      const logBefore = (await d1(target(), 'SHARD_1', log)).map((row) => ({ ...(row as object) }));

      await rm(join(folder, 'state'), { recursive: true });
      await cp(join(folder, 'bookmark'), join(folder, 'state'), { recursive: true });
      // Twice, as after an interruption.
      await replay('apply', file);
      assert.match(
        await replay('apply', file),
        /^3 erasures and 1 revocations hold again\.\n.*POST.*, 1 times, is undone/,
      );

      const [customers, counted, phrases, chunks, logAfter] = await d1Each<Record<string, unknown>>(
        target(),
        'SHARD_1',
        [
          'SELECT id FROM customers',
          `SELECT customer_count AS n FROM tenants WHERE bank_id = '${BANK}'`,
          'SELECT phrase FROM retired_phrases ORDER BY phrase',
          'SELECT payload FROM batch_chunks',
          log,
        ].join(';\n'),
      );
      assert.deepEqual(customers, [{ id: 'cus_kept' }]);
      assert.deepEqual(counted, [{ n: 1 }], 'the bank’s customer count is right');
      const revoked = await d1<object>(
        target(),
        'DIRECTORY',
        'SELECT id FROM api_keys WHERE revoked_at IS NULL ORDER BY id',
      );
      assert.deepEqual(
        revoked.map((row) => ({ ...row })),
        [{ id: 'key_kept' }, { id: 'key_late' }],
      );
      assert.deepEqual(phrases, [{ phrase: 'phrase of erased' }, { phrase: 'phrase of late' }]);
      assert.deepEqual(chunks, [{ payload: '[[0]]' }], 'the staged customer is erased');
      assert.deepEqual(logAfter, logBefore, 'the audit log is complete');
    },
  );
});
