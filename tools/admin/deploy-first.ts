/**
 * `npm run deploy:first -- --jurisdiction eu | --location weur --host api.example.com`: sets up a new Cloudflare account,
 * in an order in which nothing is live before it can work. What exists already is left alone, so it can be run again
 * after an interruption. Later deploys are `npm run deploy`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { run } from '../lib/arguments.ts';
import { readConfig, writeDeployment } from '../lib/config.ts';
import { ensureDatabase, ensureQueue, type Place } from './deploy-resources.ts';
import { listRemoteFieldKeys, showNewFieldKey } from './remote-field-keys.ts';
import { isServiceAt } from '../dev/server.ts';
import {
  applyMigrations,
  d1,
  sqlText,
  wrangler,
  wranglerInTerminal,
  type DatabaseName,
} from '../lib/wrangler.ts';

/** The platform's choices (`wrangler d1 create --help`). */
const JURISDICTIONS = ['eu', 'us', 'fedramp'];
const LOCATIONS = ['weur', 'eeur', 'apac', 'oc', 'wnam', 'enam'];

/** A new custom domain waits some minutes for its certificate. */
const MAX_VERIFY_MS = 10 * 60_000;
const VERIFY_INTERVAL_MS = 5_000;

interface Options extends Place {
  host: string;
  verifyUrl?: string;
}

const program = new Command('deploy:first')
  .description('the first deploy: queues, databases, field key, Worker')
  .requiredOption(
    '--host <name>',
    'host name of the service, in a domain of the account, such as api.example.com',
  )
  .addOption(
    new Option('--jurisdiction <name>', 'where all data must stay; can’t be changed later')
      .choices(JURISDICTIONS)
      .conflicts('location'),
  )
  .addOption(
    new Option(
      '--location <name>',
      'region near which the databases are created; can’t be changed later',
    ).choices(LOCATIONS),
  )
  .option('--verify-url <url>', 'URL to verify, if not the host: behind a proxy, or before its DNS is moved')
  .action(deployFirst);

await run(program);

async function deployFirst({ host, verifyUrl, jurisdiction, location }: Options): Promise<void> {
  if (jurisdiction === undefined && location === undefined) {
    throw new Error(
      'Choose where the data is stored, which can’t be changed later: --jurisdiction or --location.',
    );
  }
  if (!/^([a-z0-9-]+\.)+[a-z]{2,}$/.test(host)) {
    throw new Error(`--host must be a name such as api.example.com, without https:// and path, not ${host}.`);
  }
  await checkLogin();
  const config = readConfig();
  const place = { jurisdiction, location };
  for (const { queue } of config.queues.consumers) await ensureQueue(queue, place);
  const databaseIds = new Map<string, string>();
  for (const { binding, database_name: name } of config.d1_databases) {
    databaseIds.set(binding, await ensureDatabase(name, place));
  }
  await writeDeployment({ databaseIds, host });
  console.log('wrangler.toml now has the databases’ ids and the host. Commit it.');

  for (const binding of databaseIds.keys()) await applyMigrations({ remote: true }, binding as DatabaseName);
  await d1(
    { remote: true },
    'DIRECTORY',
    `INSERT INTO shards (name, number, location, jurisdiction, created_at)
     VALUES ('SHARD_1', 1, ${sqlText(location ?? null)}, ${sqlText(jurisdiction ?? null)}, ${Date.now()}) ON CONFLICT DO NOTHING`,
  );
  console.log('The tables are up to date.');
  await deployWithFieldKey();
  await verify(verifyUrl ?? `https://${host}`);
}

async function checkLogin(): Promise<void> {
  const { accounts } = JSON.parse(await wrangler(['whoami', '--json'])) as {
    accounts: { id: string; name: string }[];
  };
  if (accounts.length > 1 && process.env['CLOUDFLARE_ACCOUNT_ID'] === undefined) {
    const list = accounts.map(({ id, name }) => `${id} (${name})`).join(', ');
    throw new Error(`Set CLOUDFLARE_ACCOUNT_ID to the account that is to have it: ${list}.`);
  }
}

/** The first upload includes the field key: no version of the Worker is ever live without one. */
async function deployWithFieldKey(): Promise<void> {
  if ((await listRemoteFieldKeys()).length > 0) {
    await wranglerInTerminal(['deploy']);
  } else {
    const { name, key } = showNewFieldKey(1);
    const folder = await mkdtemp(join(tmpdir(), 'peere-secret-'));
    try {
      const file = join(folder, 'secrets.json');
      await writeFile(file, JSON.stringify({ [name]: key }), { mode: 0o600 });
      await wranglerInTerminal(['deploy', '--secrets-file', file]);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  console.log('The Worker is deployed, with its cron and its queues.');
}

/** Waits until the deployed service responds to `/health`, which needs no API key. */
async function verify(url: string): Promise<void> {
  console.log(`Waiting for ${url} …`);
  const giveUpAt = Date.now() + MAX_VERIFY_MS;
  while (!(await isServiceAt(url))) {
    if (Date.now() > giveUpAt) {
      throw new Error(
        `The Worker is deployed, but ${url} does not respond: check its DNS and certificate, then run this again.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, VERIFY_INTERVAL_MS));
  }
  console.log(
    `The service responds at ${url}. Next: npm run bank -- create --id bnk_first --name "First Bank" --remote`,
  );
}
