/**
 * `npm run deploy:first -- --jurisdiction eu | --location weur --host api.example.com`: everything that a new Cloudflare
 * account needs, in the order in which nothing is live before it can work. What is there already is left as it is, so it
 * can be run again after it was stopped. The deploys after it are `npm run deploy`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { run } from '../lib/arguments.ts';
import { readConfig, writeDeployment } from '../lib/config.ts';
import { ensureDatabase, ensureNamespace, ensureQueue, type Place } from './deploy-resources.ts';
import { listRemoteFieldKeys, showNewFieldKey } from './remote-field-keys.ts';
import { answers } from '../dev/server.ts';
import { wrangler, wranglerInTerminal } from '../lib/wrangler.ts';

/** The platform's own choices (`wrangler d1 create --help`). */
const JURISDICTIONS = ['eu', 'us', 'fedramp'];
const LOCATIONS = ['weur', 'eeur', 'apac', 'oc', 'wnam', 'enam'];

/** A new custom domain waits for its certificate: some minutes. */
const VERIFY_WITHIN_MS = 10 * 60_000;
const VERIFY_EVERY_MS = 5_000;

interface Options extends Place {
  host: string;
  verifyUrl?: string;
}

const program = new Command('deploy:first')
  .description('the first deploy: queues, database, cache, field key, Worker')
  .requiredOption(
    '--host <name>',
    'where it will be reached; a domain of the account, such as api.example.com',
  )
  .addOption(
    new Option('--jurisdiction <name>', 'where all data must stay; can’t be changed later')
      .choices(JURISDICTIONS)
      .conflicts('location'),
  )
  .addOption(
    new Option('--location <name>', 'where the database is to be near; can’t be changed later').choices(
      LOCATIONS,
    ),
  )
  .option(
    '--verify-url <url>',
    'where it answers, if not at the host: behind a proxy, or before its DNS is moved',
  )
  .action(deployFirst);

await run(program);

async function deployFirst({ host, verifyUrl, jurisdiction, location }: Options): Promise<void> {
  if (jurisdiction === undefined && location === undefined) {
    throw new Error(
      'Say where the data is to be, which can’t be changed later: --jurisdiction or --location.',
    );
  }
  if (!/^([a-z0-9-]+\.)+[a-z]{2,}$/.test(host)) {
    throw new Error(
      `--host is a name such as api.example.com, without https:// and path, which ${host} is not.`,
    );
  }
  await checkLogin();
  const config = readConfig();
  const place = { jurisdiction, location };
  for (const { queue } of config.queues.consumers) await ensureQueue(queue, place);
  const databaseId = await ensureDatabase(config.d1_databases[0]?.database_name ?? config.name, place);
  const namespaceId = await ensureNamespace(`${config.name}-phrase-cache`, place);
  await writeDeployment({ databaseId, namespaceId, host });
  console.log('wrangler.toml names them and the host. Commit it.');

  await wrangler(['d1', 'migrations', 'apply', 'DB', '--remote']);
  console.log('The tables are made.');
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

/** The first upload brings its field key along: no version of the Worker is ever live without one. */
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

/** Asks the deployed service for its health, for which it wants no API key. */
async function verify(url: string): Promise<void> {
  console.log(`Waiting for ${url} …`);
  const giveUpAt = Date.now() + VERIFY_WITHIN_MS;
  while (!(await answers(url))) {
    if (Date.now() > giveUpAt) {
      throw new Error(
        `It is deployed, but ${url} does not answer: check its DNS and certificate, then run this again.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, VERIFY_EVERY_MS));
  }
  console.log(
    `It answers at ${url}. Next: npm run bank -- create --id bnk_first --name "First Bank" --remote`,
  );
}
