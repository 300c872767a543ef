/**
 * `npm run rotate-field-key`: adds a new version of the field key, which seals account numbers and references. New
 * customers are sealed with it. Values sealed before stay readable with the old key; `--seal-anew` seals them again.
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
import { SEALED_FIELDS } from '../../src/customers/fields.ts';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { addLocalFieldKey, readDevVars } from '../dev/dev-vars.ts';
import { listRemoteFieldKeys, showNewFieldKey } from './remote-field-keys.ts';
import { readSecretLines } from '../lib/secret-input.ts';
import { d1, sqlText, wrangler, type Target } from '../lib/wrangler.ts';

/** Customers per round: their updates take 70 KB, and on Linux an argument may have 128 KB. */
const ROUND_ROWS = 200;

const SEALED_COLUMNS = SEALED_FIELDS.map((field) => ({ field, column: customers[field].name }));

/** A customer's key and its sealed columns. */
interface Sealed {
  bank_id: string;
  id: string;
  [column: string]: string;
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

/** @returns SQL that seals a customer's fields with the newest key, if the row still exists */
async function sealAnew(keys: Map<number, FieldKey>, newest: FieldKey, row: Sealed): Promise<string> {
  const anew = async (field: string, value: string) => {
    const owner = { bankId: row.bank_id, customerId: row.id, field };
    // A value without a version was stored before field keys were introduced.
    const text = versionOf(value) === undefined ? value : await openField(keys, owner, value);
    return sqlText(await sealField(newest, owner, text));
  };
  const changes = SEALED_COLUMNS.map(
    async ({ field, column }) => `${column} = ${await anew(field, row[column] ?? '')}`,
  );
  return `UPDATE customers SET ${(await Promise.all(changes)).join(', ')}
     WHERE bank_id = ${sqlText(row.bank_id)} AND id = ${sqlText(row.id)}`;
}

async function sealAllAnew(target: Target, keys: Map<number, FieldKey>): Promise<void> {
  const newest = [...keys.values()].at(-1);
  if (newest === undefined) {
    throw new Error('No field key was given: enter every version, in lines such as FIELD_KEY_1=…');
  }
  const columns = SEALED_COLUMNS.map(({ column }) => column);
  const areCurrent = columns.map((column) => `${column} LIKE '${newest.version}.%'`).join(' AND ');
  let after = { bank_id: '', id: '' };
  let sealed = 0;
  let unopened = 0;
  for (;;) {
    const rows = await d1<Sealed>(
      target,
      `SELECT bank_id, id, ${columns.join(', ')} FROM customers
       WHERE (bank_id, id) > (${sqlText(after.bank_id)}, ${sqlText(after.id)})
         AND NOT (${areCurrent})
       ORDER BY bank_id, id LIMIT ${ROUND_ROWS}`,
    );
    const last = rows.at(-1);
    if (last === undefined) {
      console.log(`Sealed ${sealed} customers anew, with version ${newest.version}.`);
      if (unopened > 0)
        console.error(`${unopened} were not changed: the key that sealed them was not given.`);
      break;
    }
    const attempts = await Promise.allSettled(rows.map((row) => sealAnew(keys, newest, row)));
    const updates = attempts.filter((attempt) => attempt.status === 'fulfilled').map(({ value }) => value);
    if (updates.length > 0) await d1(target, updates.join(';\n'));
    sealed += updates.length;
    unopened += rows.length - updates.length;
    after = last;
  }
  const [open] = await d1<{ n: number }>(
    target,
    'SELECT count(*) AS n FROM batches WHERE completed_at IS NULL',
  );
  if (open !== undefined && open.n > 0) {
    console.log(
      `${open.n} batches are under way and may add customers sealed with an older key: run this again when they are completed.`,
    );
  }
}

const program = withTarget(
  new Command('rotate-field-key')
    .description('add a new key for account numbers and references; what older keys sealed stays readable')
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
