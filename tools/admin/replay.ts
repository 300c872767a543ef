/**
 * `npm run replay -- export --since TIME FILE`, then, after D1 Time Travel has restored the database to that time,
 * `npm run replay -- apply FILE`. A restore brings back erased customers and revoked API keys; this erases and revokes
 * them again. docs/operations.md has the whole procedure.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { selectStagedCopyKeys } from '../../src/batches/process/chunks.store.ts';
import { selectCopyKeys, type CopyKeys } from '../../src/customers/customers.store.ts';
import { eraseCustomerStatements } from '../../src/erasure/erasure.store.ts';
import { inSlices } from '../../src/lib/slices.ts';
import { pathOfCaller, run, targetOf, withTarget } from '../lib/arguments.ts';
import { textOf } from '../lib/sql.ts';
import type { DatabaseName } from '../lib/shards.ts';
import { d1, d1Each, listShards, sqlText, type Target } from '../lib/wrangler.ts';

/** Rows per read of a table. */
const PAGE_ROWS = 1_000;
/** Erasures per command that looks for their traces: 40 statements of 3 KB; an argument may have 128 KB. */
const ERASURES_PER_COMMAND = 20;
/** Rows per INSERT: D1 accepts 100 KB of SQL, and a row of the audit log has up to 500 bytes. */
const ROWS_PER_INSERT = 100;
/** Of one command, whose argument may have 128 KB on Linux. */
const MAX_COMMAND_CHARACTERS = 100_000;
/** Audit actions of erasures through the API, now and in version 0.1.0. A deletion in the database by hand is `DELETE`. */
const ERASURES = ['customer.erased', 'DELETE /v1/bank/customer'];

type Row = Record<string, string | number | null>;

interface CarriedTable {
  columns: string[];
  key: string[];
  /** When a row was written; null: that is not stored. */
  since: string | null;
}

/** Whole rows of these tables are carried over a restore. Each may be inserted any number of times. */
const DIRECTORY_TABLES = {
  banks: {
    columns: ['id', 'name', 'shard', 'move_number', 'created_at'],
    key: ['id'],
    since: 'created_at',
  },
  api_keys: {
    columns: ['hash', 'id', 'bank_id', 'name', 'prefix', 'scopes', 'created_at', 'expires_at', 'revoked_at'],
    key: ['hash'],
    since: 'max(created_at, coalesce(revoked_at, 0))',
  },
} satisfies Record<string, CarriedTable>;
const SHARD_TABLES = {
  audit_log: {
    columns: ['bank_id', 'at', 'request_id', 'key_id', 'action', 'subject', 'fields'],
    key: ['bank_id', 'at', 'request_id'],
    since: 'at',
  },
  // They have no time. Those from before the restore exist already.
  retired_phrases: { columns: ['phrase', 'bank_id'], key: ['phrase'], since: null },
} satisfies Record<string, CarriedTable>;
const TABLES: Record<string, CarriedTable> = { ...DIRECTORY_TABLES, ...SHARD_TABLES };

type RowsOf<Tables> = Record<keyof Tables, Row[]>;

/** What an export holds. */
interface Carried {
  directory: RowsOf<typeof DIRECTORY_TABLES>;
  /** By name of the shard. */
  shards: Record<DatabaseName, RowsOf<typeof SHARD_TABLES>>;
}

const valueText = (value: string | number | null | undefined) =>
  typeof value === 'number' ? String(value) : sqlText(value ?? null);

/** @returns SQL for one page of a table: rows written since a time, after the last row that was read */
function pageOf(
  table: string,
  { columns, key, since: writtenAt }: CarriedTable,
  since: number,
  last: Row | undefined,
): string {
  const after =
    last === undefined ? 'true' : `(${key.join()}) > (${key.map((name) => valueText(last[name])).join()})`;
  return `SELECT ${columns.join()} FROM ${table}
    WHERE ${after} AND ${writtenAt === null ? 'true' : `${writtenAt} >= ${since}`} ORDER BY ${key.join()} LIMIT ${PAGE_ROWS}`;
}

/** Reads all rows of a database that were written since a time, one page of every table at a time. */
async function readSince<Tables extends Record<string, CarriedTable>>(
  target: Target,
  database: DatabaseName,
  tables: Tables,
  since: number,
): Promise<RowsOf<Tables>> {
  const carried = new Map<string, Row[]>(Object.keys(tables).map((table) => [table, []]));
  let unread = Object.entries(tables);
  while (unread.length > 0) {
    const queries = unread.map(([table, described]) =>
      pageOf(table, described, since, carried.get(table)?.at(-1)),
    );
    const pages = await d1Each<Row>(target, database, queries.join(';\n'));
    for (const [index, [table]] of unread.entries()) carried.get(table)?.push(...(pages[index] ?? []));
    unread = unread.filter((_, index) => pages[index]?.length === PAGE_ROWS);
  }
  return Object.fromEntries(carried) as RowsOf<Tables>;
}

async function readAllSince(target: Target, since: number): Promise<Carried> {
  const directory = await readSince(target, 'DIRECTORY', DIRECTORY_TABLES, since);
  const shards: Carried['shards'] = {} as Carried['shards'];
  for (const shard of await listShards(target)) {
    shards[shard] = await readSince(target, shard, SHARD_TABLES, since);
  }
  return { directory, shards };
}

function insertMissing(table: string, rows: Row[]): string[] {
  const columns = TABLES[table]?.columns ?? [];
  return inSlices(rows, ROWS_PER_INSERT).map((some) => {
    const values = some.map((row) => `(${columns.map((column) => valueText(row[column])).join()})`);
    return `INSERT INTO ${table} (${columns.join()}) VALUES ${values.join()} ON CONFLICT DO NOTHING`;
  });
}

const revokeAgain = ({ id = null, revoked_at: at = null }: Row) =>
  `UPDATE api_keys SET revoked_at = ${valueText(at)} WHERE id = ${valueText(id)} AND revoked_at IS NULL`;

/** Erases each customer again, with the id of the original request. Doing so twice has no further effect. */
async function eraseAgain(target: Target, shard: DatabaseName, erasures: Row[]): Promise<string[]> {
  const texts: string[] = [];
  for (const some of inSlices(erasures, ERASURES_PER_COMMAND)) {
    const named = some.map((row) => ({ bankId: String(row['bank_id']), id: String(row['subject']), row }));
    const queries = named.flatMap(({ bankId, id }) => [
      selectCopyKeys(bankId, id),
      selectStagedCopyKeys(bankId, id),
    ]);
    const found = await d1Each<CopyKeys>(target, shard, textOf(queries));
    for (const [index, { bankId, id, row }] of named.entries()) {
      const traces = found[2 * index]?.[0] ?? found[2 * index + 1]?.[0];
      if (traces === undefined) continue;
      const actor = { bankId, apiKeyId: String(row['key_id']), requestId: String(row['request_id']) };
      texts.push(textOf(eraseCustomerStatements(actor, Number(row['at']), id, traces, undefined)));
    }
  }
  return texts;
}

/** Runs statements in order, in as few commands as possible. */
async function runAll(target: Target, database: DatabaseName, statements: string[]): Promise<void> {
  let command = '';
  for (const statement of statements) {
    if (command !== '' && command.length + statement.length > MAX_COMMAND_CHARACTERS) {
      await d1(target, database, command);
      command = '';
    }
    command += `${statement};\n`;
  }
  if (command !== '') await d1(target, database, command);
}

const countErased = (erasures: Row[]) =>
  inSlices(erasures, ROWS_PER_INSERT).map((some) => {
    const pairs = some.map((row) => `(${valueText(row['bank_id'])}, ${valueText(row['subject'])})`);
    return `SELECT count(*) AS n FROM customers WHERE (bank_id, id) IN (VALUES ${pairs.join()})`;
  });

const countRevoked = (revoked: Row[]) =>
  inSlices(revoked, ROWS_PER_INSERT).map((some) => {
    const ids = some.map(({ id = null }) => valueText(id));
    return `SELECT count(*) AS n FROM api_keys WHERE revoked_at IS NULL AND id IN (${ids.join()})`;
  });

/** @param queries count what should not be there. @throws if there is any */
async function assertGone(target: Target, database: DatabaseName, queries: string[]): Promise<void> {
  for (const some of inSlices(queries, ERASURES_PER_COMMAND)) {
    const counts = await d1Each<{ n: number }>(target, database, some.join(';\n'));
    const left = counts.reduce((sum, rows) => sum + (rows[0]?.n ?? 0), 0);
    if (left > 0) {
      throw new Error(
        `${left} erased customers or revoked API keys are still there: keep traffic out and run this again.`,
      );
    }
  }
}

const isErasure = ({ action }: Row) => ERASURES.includes(String(action));
const isRevoked = (row: Row) => row['revoked_at'] !== null;

/** Lists the changes that the restore undid, which the banks must send again. */
function reportLost(changes: Row[]): void {
  const lost = changes.filter((row) => !isErasure(row) && row['key_id'] !== null);
  const banks = Map.groupBy(lost, (row) => `${row['bank_id']}: ${row['action']}`);
  for (const [what, rows] of banks) console.log(`  ${what}, ${rows.length} times, is undone`);
}

const program = new Command('replay').description(
  'carry erasures and revocations over a D1 Time Travel restore',
);

withTarget(
  program
    .command('export')
    .description('save what must not be undone')
    .argument(
      '<file>',
      'file to create; it has ids and hashes of API keys: keep it private, and remove it afterwards',
    )
    .requiredOption(
      '--since <time>',
      'time to which the database will be restored, ISO 8601; an earlier one does no harm',
    ),
).action(async (file, options) => {
  const since = Date.parse(options.since);
  if (Number.isNaN(since)) throw new Error('--since must be a time such as 2026-11-25T09:00:00Z.');
  const carried = await readAllSince(targetOf(options), since);
  // `wx`: never overwrites a file, which may be the only record of an earlier export.
  await writeFile(pathOfCaller(file), JSON.stringify(carried, null, 1), { mode: 0o600, flag: 'wx' });
  const changes = Object.values(carried.shards).flatMap(({ audit_log: rows }) => rows);
  const byHand = changes.filter(({ action }) => action === 'DELETE').length;
  console.log(
    `${changes.filter(isErasure).length} erasures and ${carried.directory.api_keys.filter(isRevoked).length} revoked API keys are in ${file}.`,
  );
  if (byHand > 0)
    console.log(`${byHand} customers were deleted in the database by hand, which is not repeated.`);
});

withTarget(
  program
    .command('apply')
    .description('after the restore, erase and revoke again')
    .argument('<file>', 'file from export'),
).action(async (file, options) => {
  const { directory, shards } = JSON.parse(await readFile(pathOfCaller(file), 'utf8')) as Carried;
  const target = targetOf(options);
  const revoked = directory.api_keys.filter(isRevoked);
  await runAll(target, 'DIRECTORY', [
    ...insertMissing('banks', directory.banks),
    ...insertMissing('api_keys', directory.api_keys),
    ...revoked.map(revokeAgain),
  ]);
  await assertGone(target, 'DIRECTORY', countRevoked(revoked));
  const changes: Row[] = [];
  for (const [shard, carried] of Object.entries(shards) as [
    DatabaseName,
    Carried['shards'][DatabaseName],
  ][]) {
    const erasures = carried.audit_log.filter(isErasure);
    await runAll(target, shard, [
      ...(await eraseAgain(target, shard, erasures)),
      // After the erasures, which retire the phrases of the restored customers themselves.
      ...insertMissing('retired_phrases', carried.retired_phrases),
      ...insertMissing('audit_log', carried.audit_log),
    ]);
    await assertGone(target, shard, countErased(erasures));
    changes.push(...carried.audit_log);
  }
  console.log(`${changes.filter(isErasure).length} erasures and ${revoked.length} revocations hold again.`);
  reportLost(changes);
});

await run(program);
