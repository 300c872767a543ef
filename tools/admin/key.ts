/** `npm run key -- create | list | revoke`: the API keys of banks. A key is shown once and stored as its SHA-256. */
import { createHash, randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { checksumOf } from '../../src/api-keys/api-key-checksum.ts';
import { SCOPES } from '../../src/api-keys/scopes.ts';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { d1, sqlText } from '../lib/wrangler.ts';

/** 256 bits can't be guessed, so a fast hash of them is as good as a slow one. */
const KEY_BYTES = 32;

function readScopes(text: string): string {
  const scopes = [...new Set(text.split(/[\s,]+/).filter((scope) => scope !== ''))];
  const unknown = scopes.filter((scope) => !SCOPES.some((known) => known === scope));
  if (scopes.length === 0 || unknown.length > 0) {
    throw new Error(`--scopes must be one or more of ${SCOPES.join(', ')}, separated by commas.`);
  }
  return scopes.join(' ');
}

function readExpiry(text: string | undefined): number | null {
  if (text === undefined) return null;
  const time = Date.parse(text);
  if (Number.isNaN(time) || time <= Date.now()) {
    throw new Error(
      '--expires must be a date in the future, such as 2027-12-31; the key expires when that day begins, UTC.',
    );
  }
  return time;
}

const program = new Command('key').description('The API keys of banks');

withTarget(
  program
    .command('create')
    .description('create an API key and show it once')
    .requiredOption('--bank <id>', 'bank whose customers the key gives access to')
    .requiredOption('--name <text>', 'name that says where the key is used')
    .requiredOption('--scopes <list>', `comma-separated, of ${SCOPES.join(', ')}`)
    .option('--expires <date>', 'ISO 8601; without it, the key never expires'),
).action(async (options) => {
  const scopes = readScopes(options.scopes);
  const expiresAt = readExpiry(options.expires);
  const prefix = options.remote ? 'peere_live_' : 'peere_test_';
  const secret = prefix + randomBytes(KEY_BYTES).toString('base64url');
  const key = secret + checksumOf(secret);
  const hash = createHash('sha256').update(key).digest('hex');
  const id = `key_${randomBytes(8).toString('hex')}`;
  const [created] = await d1(
    targetOf(options),
    'DIRECTORY',
    `INSERT INTO api_keys (hash, id, bank_id, name, prefix, scopes, created_at, expires_at)
     SELECT ${sqlText(hash)}, ${sqlText(id)}, id, ${sqlText(options.name)}, ${sqlText(prefix)}, ${sqlText(scopes)},
       ${Date.now()}, ${expiresAt ?? 'NULL'}
     FROM banks WHERE id = ${sqlText(options.bank)} RETURNING id`,
  );
  if (created === undefined) {
    throw new Error(
      `There is no bank ${options.bank}. Create it first: npm run bank -- create --id … --name …`,
    );
  }
  console.log(`API key ${id} of ${options.bank}, with ${scopes}. It is shown only once:\n\n  ${key}\n`);
});

withTarget(
  program
    .command('list')
    .description('list API keys, without their secrets')
    .option('--bank <id>', 'only those of one bank'),
).action(async (options) => {
  const where = options.bank === undefined ? '' : `WHERE bank_id = ${sqlText(options.bank)}`;
  console.table(
    await d1(
      targetOf(options),
      'DIRECTORY',
      `SELECT id, bank_id AS bank, name, prefix, scopes,
         datetime(created_at / 1000, 'unixepoch') AS created,
         coalesce(datetime(expires_at / 1000, 'unixepoch'), 'never') AS expires,
         coalesce(datetime(revoked_at / 1000, 'unixepoch'), '') AS revoked,
         coalesce(last_used_on, 'never') AS lastUsed
       FROM api_keys ${where} ORDER BY bank_id, created_at`,
    ),
  );
});

withTarget(
  program
    .command('revoke')
    .description('revoke an API key: within 30 seconds, and for cached phrases within 5 minutes')
    .argument('<id>', 'key_…'),
).action(async (id, options) => {
  const [revoked] = await d1(
    targetOf(options),
    'DIRECTORY',
    `UPDATE api_keys SET revoked_at = ${Date.now()}
     WHERE id = ${sqlText(id)} AND revoked_at IS NULL RETURNING id`,
  );
  if (revoked === undefined)
    throw new Error(
      `There is no API key ${id}, or it is revoked already. List them with: npm run key -- list`,
    );
  console.log(
    `Revoked ${id}. It stops working everywhere within 30 seconds, but for cached phrases and payees: until each isolate’s next check of it, within 5 minutes.`,
  );
});

await run(program);
