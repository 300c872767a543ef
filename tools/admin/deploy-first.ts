/**
 * `npm run deploy:first -- --jurisdiction eu | --location weur --host api.example.com`: sets up a new Cloudflare account,
 * in an order in which nothing is live before it can work. What exists already is left alone, so it can be run again
 * after an interruption. Later deploys are `npm run deploy`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { run } from '../lib/arguments.ts';
import { readConfig, writeDatabase, writeHost } from '../lib/config.ts';
import { applyRemoteMigrations } from '../lib/migrations.ts';
import { databaseNameOf } from '../lib/shards.ts';
import { registerShard } from './add-shard.ts';
import { ensureDatabase, ensureQueue } from './deploy-resources.ts';
import { withPlace, type Place } from './place.ts';
import { listRemoteFieldKeys, showNewFieldKey } from './remote-field-keys.ts';
import { isServiceAt } from '../dev/server.ts';
import { wrangler, wranglerInTerminal } from '../lib/wrangler.ts';

/** Further shards come later: npm run shard -- add. */
const FIRST_DATABASES = ['DIRECTORY', 'SHARD_1'] as const;

/** A new custom domain waits some minutes for its certificate. */
const MAX_VERIFY_MS = 10 * 60_000;
const VERIFY_INTERVAL_MS = 5_000;

interface Options extends Place {
  host: string;
  verifyUrl?: string;
}

const program = withPlace(
  new Command('deploy:first')
    .description('the first deploy: queues, databases, field key, Worker')
    .requiredOption(
      '--host <name>',
      'host name of the service, in a domain of the account, such as api.example.com',
    )
    .option(
      '--verify-url <url>',
      'URL to verify, if not the host: behind a proxy, or before its DNS is moved',
    ),
).action(deployFirst);

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
  const place = { jurisdiction, location };
  for (const { queue } of readConfig().queues.consumers) await ensureQueue(queue, place);
  for (const database of FIRST_DATABASES) {
    await writeDatabase(database, await ensureDatabase(databaseNameOf(database), place));
  }
  await writeHost(host);
  console.log('wrangler.toml now has the databases’ ids and the host. Commit it.');

  for (const database of FIRST_DATABASES) await applyRemoteMigrations(database);
  await registerShard({ remote: true }, 'SHARD_1', { ...place, closed: false });
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
