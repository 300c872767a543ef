/**
 * `npm run rotate-field-key`: adds a new version of the field key, which seals account numbers, references and the secrets
 * of webhooks. New values are sealed with it. Values sealed before stay readable with the old key; `--seal-anew` seals them
 * again.
 */
import { parseEnv } from 'node:util';
import { Command } from 'commander';
import {
  fieldKeyVersions,
  importFieldKey,
  openField,
  sealField,
  versionOf,
  type FieldKey,
} from '../../src/crypto/field-cipher.ts';
import { customers } from '../../src/customers/customers.table.ts';
import { SEALED_VALUE } from '../../src/customers/sealed-fields.ts';
import { isOfOpenBank } from '../../src/databases/tenant.store.ts';
import { WEBHOOK_SECRET } from '../../src/webhooks/receiver.ts';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { addLocalFieldKey, readDevVars } from '../dev/dev-vars.ts';
import { listRemoteFieldKeys, showNewFieldKey } from './remote-field-keys.ts';
import { readSecretLines } from '../lib/secret-input.ts';
import type { ShardName } from '../lib/shards.ts';
import { textOf } from '../lib/sql.ts';
import { d1, listShards, sqlText, wrangler, type Target } from '../lib/wrangler.ts';

/** Rows per round: their updates take 70 KB, and on Linux an argument may have 128 KB. */
const ROUND_ROWS = 200;

/** Tables with sealed columns, each with the field that its values are bound to. The key is (bank_id, id). */
const SEALED_TABLES = {
  customers: [{ field: SEALED_VALUE, column: customers[SEALED_VALUE].name }],
  webhook_endpoints: ['secret', 'previous_secret'].map((column) => ({ field: WEBHOOK_SECRET, column })),
};
type SealedTable = keyof typeof SEALED_TABLES;

/** The key of a row and its sealed columns. */
interface Sealed {
  bank_id: string;
  id: string;
  [column: string]: string | null;
}

async function addRemoteFieldKey(): Promise<void> {
  const version = ((await listRemoteFieldKeys()).at(-1) ?? 0) + 1;
  const { name, key } = showNewFieldKey(version);
  await wrangler(['secret', 'put', name], key);
  console.log(`The deployed Worker now seals with version ${version}.`);
}

/**
 * A local server's keys are in .dev.vars. Others are read from a file or standard input: a shell's history would keep an
 * environment variable, and the list of processes would show an argument to everybody.
 */
async function readKeys(isRemote: boolean, keysFrom: string | undefined): Promise<Map<number, FieldKey>> {
  if (fieldKeyVersions(Object.keys(process.env)).length > 0) {
    throw new Error(
      'Field keys are not read from the environment, because the shell’s history keeps them: unset them and use --keys-from.',
    );
  }
  const own = isRemote ? {} : await readDevVars();
  const isGiven = isRemote || keysFrom !== undefined;
  const given = isGiven ? parseEnv(await readSecretLines(keysFrom, 'Every version, as FIELD_KEY_1=…')) : {};
  const texts: NodeJS.Dict<string> = { ...own, ...given };
  const keys = new Map<number, FieldKey>();
  for (const version of fieldKeyVersions(Object.keys(texts))) {
    keys.set(version, await importFieldKey(version, texts[`FIELD_KEY_${version}`] ?? ''));
  }
  return keys;
}

/** A bank that moves takes no changes, not even these. */
const ofOpenBank = (table: SealedTable) => textOf([isOfOpenBank(table)]);

/** @returns SQL that seals the fields of a row with the newest key, if the row still has these values */
async function sealAnew(
  table: SealedTable,
  keys: Map<number, FieldKey>,
  newest: FieldKey,
  row: Sealed,
): Promise<string> {
  const anew = async (field: string, value: string) => {
    const owner = { bankId: row.bank_id, ownerId: row.id, field };
    // A value without a version was stored before field keys were introduced.
    const text = versionOf(value) === undefined ? value : await openField(keys, owner, value);
    return sqlText(await sealField(newest, owner, text));
  };
  const present = SEALED_TABLES[table].flatMap(({ field, column }) => {
    const value = row[column] ?? null;
    return value === null ? [] : [{ field, column, value }];
  });
  const changes = present.map(async ({ field, column, value }) => `${column} = ${await anew(field, value)}`);
  // A secret may be rotated meanwhile, and must not come back.
  const unchanged = present.map(({ column, value }) => `${column} = ${sqlText(value)}`);
  return `UPDATE ${table} SET ${(await Promise.all(changes)).join(', ')}
     WHERE bank_id = ${sqlText(row.bank_id)} AND id = ${sqlText(row.id)} AND ${unchanged.join(' AND ')}
       AND ${ofOpenBank(table)}`;
}

/** @returns the number of rows that were sealed anew, and of those whose key was not given */
async function sealTableAnew(
  target: Target,
  shard: ShardName,
  table: SealedTable,
  keys: Map<number, FieldKey>,
  newest: FieldKey,
): Promise<{ sealed: number; unopened: number }> {
  const columns = SEALED_TABLES[table].map(({ column }) => column);
  const areCurrent = columns
    .map((column) => `coalesce(${column}, '${newest.version}.') LIKE '${newest.version}.%'`)
    .join(' AND ');
  let after = { bank_id: '', id: '' };
  let sealed = 0;
  let unopened = 0;
  for (;;) {
    const rows = await d1<Sealed>(
      target,
      shard,
      `SELECT bank_id, id, ${columns.join(', ')} FROM ${table}
       WHERE (bank_id, id) > (${sqlText(after.bank_id)}, ${sqlText(after.id)})
         AND NOT (${areCurrent}) AND ${ofOpenBank(table)}
       ORDER BY bank_id, id LIMIT ${ROUND_ROWS}`,
    );
    const last = rows.at(-1);
    if (last === undefined) return { sealed, unopened };
    const attempts = await Promise.allSettled(rows.map((row) => sealAnew(table, keys, newest, row)));
    const updates = attempts.filter((attempt) => attempt.status === 'fulfilled').map(({ value }) => value);
    if (updates.length > 0) await d1(target, shard, updates.join(';\n'));
    sealed += updates.length;
    unopened += rows.length - updates.length;
    after = last;
  }
}

async function sealAllAnew(target: Target, keys: Map<number, FieldKey>): Promise<void> {
  const newest = [...keys.values()].at(-1);
  if (newest === undefined) {
    throw new Error('No field key was given: enter every version, in lines such as FIELD_KEY_1=…');
  }
  const sum = { customers: 0, webhooks: 0, unopened: 0, openBatches: 0, moving: 0 };
  for (const shard of await listShards(target)) {
    const ofCustomers = await sealTableAnew(target, shard, 'customers', keys, newest);
    const ofWebhooks = await sealTableAnew(target, shard, 'webhook_endpoints', keys, newest);
    sum.customers += ofCustomers.sealed;
    sum.webhooks += ofWebhooks.sealed;
    sum.unopened += ofCustomers.unopened + ofWebhooks.unopened;
    const [left] = await d1<{ batches: number; moving: number }>(
      target,
      shard,
      `SELECT (SELECT count(*) FROM batches WHERE completed_at IS NULL) AS batches,
         (SELECT count(*) FROM tenants WHERE state IN ('leaving', 'standby')) AS moving`,
    );
    sum.openBatches += left?.batches ?? 0;
    sum.moving += left?.moving ?? 0;
  }
  console.log(
    `Sealed ${sum.customers} customers and ${sum.webhooks} webhooks anew, with version ${newest.version}.`,
  );
  if (sum.unopened > 0)
    console.error(`${sum.unopened} were not changed: the key that sealed them was not given.`);
  if (sum.moving > 0)
    console.log(
      `${sum.moving} banks are being moved and were left out: run this again when they have moved.`,
    );
  if (sum.openBatches > 0) {
    console.log(
      `${sum.openBatches} batches are under way and may add customers sealed with an older key: run this again when they are completed.`,
    );
  }
}

const program = withTarget(
  new Command('rotate-field-key')
    .description(
      'add a new key for account numbers, references and secrets of webhooks; what older keys sealed stays readable',
    )
    .option('--seal-anew', 'add no key, but seal again with the newest key what older keys sealed')
    .option(
      '--keys-from <file>',
      'with --seal-anew: file with lines FIELD_KEY_1=…, every version; - for standard input. Without it, --remote asks for them',
    ),
).action(async ({ sealAnew: again, keysFrom, ...target }) => {
  if (again) await sealAllAnew(targetOf(target), await readKeys(target.remote === true, keysFrom));
  else if (target.remote) await addRemoteFieldKey();
  else
    console.log(
      `This machine’s server will seal with version ${await addLocalFieldKey()} after its next start.`,
    );
});

await run(program);
