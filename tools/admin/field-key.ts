/**
 * `npm run rotate-field-key`: a new version of the key that seals account numbers and references. New customers
 * are sealed with it; what was sealed before stays readable by the old one, and `--seal-anew` seals that anew.
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
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { addLocalFieldKey, readDevVars } from '../dev/dev-vars.ts';
import { listRemoteFieldKeys, showNewFieldKey } from './remote-field-keys.ts';
import { readSecretLines } from '../lib/secret-input.ts';
import { d1, sqlText, wrangler, type Target } from '../lib/wrangler.ts';

/** Customers of one round: their updates are 70 KB of the 128 KB that a command's argument may have on Linux. */
const ROUND = 200;

interface Sealed {
  bank_id: string;
  id: string;
  account_number: string;
  reference: string;
}

async function addRemoteFieldKey(): Promise<void> {
  const version = ((await listRemoteFieldKeys()).at(-1) ?? 0) + 1;
  const { name, key } = showNewFieldKey(version);
  await wrangler(['secret', 'put', name], key);
  console.log(`The deployed Worker seals with version ${version} now.`);
}

/**
 * A local server's keys are in .dev.vars. Others are read from a file or standard input: a shell's history keeps what is
 * typed before a command, and everybody's list of processes shows what is behind it.
 */
async function readKeys(isRemote: boolean, keysFrom: string | undefined): Promise<Map<number, FieldKey>> {
  if (fieldKeyVersions(Object.keys(process.env)).length > 0) {
    throw new Error(
      'Field keys are not read from the environment, because the shell’s history keeps them: unset them, and use --keys-from.',
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

/** One customer's fields under the newest key, as SQL. What a customer's row does not hold any more is left alone. */
async function sealAnew(keys: Map<number, FieldKey>, newest: FieldKey, row: Sealed): Promise<string> {
  const anew = async (field: string, value: string) => {
    const owner = { bankId: row.bank_id, customerId: row.id, field };
    // Customers from before there were field keys.
    const text = versionOf(value) === undefined ? value : await openField(keys, owner, value);
    return sqlText(await sealField(newest, owner, text));
  };
  const accountNumber = await anew('accountNumber', row.account_number);
  const reference = await anew('reference', row.reference);
  return `UPDATE customers SET account_number = ${accountNumber}, reference = ${reference}
     WHERE bank_id = ${sqlText(row.bank_id)} AND id = ${sqlText(row.id)}`;
}

async function sealAllAnew(target: Target, keys: Map<number, FieldKey>): Promise<void> {
  const newest = [...keys.values()].at(-1);
  if (newest === undefined) {
    throw new Error('No field key was given: every version is needed, in lines such as FIELD_KEY_1=…');
  }
  const isCurrent = (column: string) => `${column} LIKE '${newest.version}.%'`;
  let after = { bank_id: '', id: '' };
  let sealed = 0;
  let unopened = 0;
  for (;;) {
    const rows = await d1<Sealed>(
      target,
      `SELECT bank_id, id, account_number, reference FROM customers
       WHERE (bank_id, id) > (${sqlText(after.bank_id)}, ${sqlText(after.id)})
         AND NOT (${isCurrent('account_number')} AND ${isCurrent('reference')})
       ORDER BY bank_id, id LIMIT ${ROUND}`,
    );
    const last = rows.at(-1);
    if (last === undefined) {
      console.log(`Sealed ${sealed} customers anew, with version ${newest.version}.`);
      if (unopened > 0)
        console.error(`${unopened} were left as they are: the key that sealed them was not given.`);
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
      `${open.n} batches are under way, and may bring some under an older key: run this again after them.`,
    );
  }
}

const program = withTarget(
  new Command('rotate-field-key')
    .description('a new key for account numbers and references; the old ones stay readable')
    .option('--seal-anew', 'make no key; seal with the newest what was sealed with older ones')
    .option(
      '--keys-from <file>',
      'with --seal-anew: lines FIELD_KEY_1=…, every version; - is standard input. Without it, --remote asks for them',
    ),
).action(async ({ sealAnew: again, keysFrom, ...target }) => {
  if (again) await sealAllAnew(targetOf(target), await readKeys(target.remote === true, keysFrom));
  else if (target.remote) await addRemoteFieldKey();
  else
    console.log(
      `This machine’s server seals with version ${await addLocalFieldKey()} when it is started anew.`,
    );
});

await run(program);
