/**
 * Runs the commands of a deployment with the real wrangler against a mock of Cloudflare's API, in which the databases and
 * the Worker are real. `npm run deploy:test`. The tests build on one another, as an operator's commands do.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { importFieldKey, openField } from '../../src/crypto/field-cipher.ts';
import { SEALED_VALUE } from '../../src/customers/sealed-fields.ts';
import { cloneProject, npmPath, wranglerBin } from './clone.ts';
import { CloudflareMock, type Metadata } from './cloudflare-mock.ts';
import { describeRemoteShards, type Ended } from './remote-shards.ts';

const HOST = 'api.example.com';
const MINUTES = 60_000;

let cloudflare: CloudflareMock;
let clone: string;
let live: string;
let firstFieldKey: string;
before(async () => {
  cloudflare = await CloudflareMock.start();
  clone = await cloneProject();
});
after(async () => {
  await cloudflare.stop();
  await rm(clone, { recursive: true, force: true });
});

const environment = () => ({ ...process.env, ...cloudflare.environment, PATH: npmPath });

/** Runs a command in the clone. @param input what it reads from standard input */
function run(file: string, args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { cwd: clone, env: { ...environment(), ...env } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}
const tool = (name: string, ...args: string[]) => run(process.execPath, [`tools/admin/${name}.ts`, ...args]);
/** Runs a tool, and kills it and its wrangler once Cloudflare has made a change, of which they never hear. */
async function killedTool(change: RegExp, name: string, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [`tools/admin/${name}.ts`, ...args], {
    cwd: clone,
    env: environment(),
    detached: true,
    stdio: 'ignore',
  });
  cloudflare.afterChange = (made) => {
    if (change.test(JSON.stringify(made)) && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  cloudflare.afterChange = () => {};
  assert.equal(signal, 'SIGKILL', `${name} made no change ${change}`);
}
const wranglerDeploy = () => run(process.execPath, [wranglerBin, 'deploy'], '', { CI: 'true' });
const deployFirst = async (...place: string[]) =>
  tool('deploy-first', '--host', HOST, '--verify-url', await cloudflare.serviceUrl(), ...place);

/** @returns the changes since the last call */
const newChanges = () => cloudflare.changes.splice(0);
const variable = ({ bindings }: Metadata, name: string) => bindings.find((binding) => binding.name === name);

/** Asserts that a Worker is configured for production. */
function assertProduction(worker: Metadata): void {
  assert.equal(variable(worker, 'ENVIRONMENT')?.text, 'production');
  for (const [index, binding] of ['DIRECTORY', 'SHARD_1'].entries()) {
    assert.equal(variable(worker, binding)?.id, cloudflare.places.databases[index]?.['uuid']);
  }
  assert.deepEqual(worker.observability, {
    ...worker.observability,
    enabled: true,
    logs: { ...worker.observability.logs, enabled: true, invocation_logs: false },
  });
}

void describe('before the first deploy', () => {
  void it(
    'a bare wrangler deploy creates nothing and says which command to run',
    { timeout: 5 * MINUTES },
    async () => {
      const { code, output } = await wranglerDeploy();
      assert.equal(code, 1);
      assert.match(output, /run npm run deploy:first/);
      assert.deepEqual(newChanges(), []);
    },
  );

  void it('the first deploy requires a location and a host, and creates nothing without them', async () => {
    const noPlace = await deployFirst();
    assert.match(noPlace.output, /^Choose where the data is stored.*--jurisdiction or --location/);
    const noHost = await tool('deploy-first', '--jurisdiction', 'eu', '--host', 'https://api.example.com/');
    assert.match(noHost.output, /^--host must be a name such as api\.example\.com/);
    assert.deepEqual([noPlace.code, noHost.code, ...newChanges()], [1, 1]);
  });

  void it(
    'every command for Cloudflare says in one sentence that nobody is logged in',
    { timeout: 5 * MINUTES },
    async () => {
      const loggedOut = { CLOUDFLARE_API_TOKEN: undefined, HOME: clone, XDG_CONFIG_HOME: clone };
      for (const [file, ...args] of [
        [process.execPath, 'tools/admin/deploy-first.ts', '--location', 'weur', '--host', HOST],
        ['npm', 'run', '--silent', 'deploy'],
        [process.execPath, 'tools/admin/key.ts', 'list', '--remote'],
        [process.execPath, 'tools/admin/field-key.ts', '--remote'],
      ] as const) {
        const { code, output } = await run(file, args, '', loggedOut);
        assert.equal(
          output,
          'You are not logged in to Cloudflare: run npx wrangler login first, or set CLOUDFLARE_API_TOKEN.\n',
        );
        assert.equal(code, 1);
      }
      assert.deepEqual(newChanges(), []);
    },
  );
});

void describe('npm run deploy:first', () => {
  void it(
    'creates everything in the jurisdiction, and makes the Worker live only once it has tables and a field key',
    { timeout: 15 * MINUTES },
    async () => {
      const config = await readFile(join(clone, 'wrangler.toml'), 'utf8');
      const { code, output } = await deployFirst('--jurisdiction', 'eu');
      assert.equal(code, 0, output);
      assert.match(output, /The service responds at/);
      firstFieldKey = /FIELD_KEY_1=(\S+)/.exec(output)?.[1] ?? '';
      assert.equal(firstFieldKey, cloudflare.secrets.get('FIELD_KEY_1'));

      const { queues, databases } = cloudflare.places;
      const created = [...queues, ...databases];
      assert.equal(created.length, 5);
      for (const { jurisdiction } of created) assert.equal(jurisdiction, 'eu');

      const changes = newChanges();
      const upload = changes.findIndex(({ what }) => /^PUT \/workers\/scripts\/[^/]+$/.test(what));
      const lastTable = changes.findLastIndex(({ body }) => /CREATE TABLE/.test(body.sql));
      const exposed = changes.findIndex(({ what }) => /domains|schedules|consumers|subdomain/.test(what));
      assert.ok(
        lastTable >= 0 && lastTable < upload && upload < exposed,
        JSON.stringify({ lastTable, upload, exposed }),
      );
      assertProduction(cloudflare.worker);
      assert.equal(variable(cloudflare.worker, 'FIELD_KEY_1')?.type, 'secret_text');

      const sent = (pattern: RegExp) => changes.find(({ what }) => pattern.test(what))?.body;
      assert.deepEqual(sent(/subdomain$/), { enabled: false, previews_enabled: false });
      assert.equal(sent(/domains\/records$/).origins[0].hostname, HOST);
      assert.deepEqual(sent(/schedules$/), [{ cron: '* * * * *' }, { cron: '*/1 * * * *' }]);
      assert.equal(changes.filter(({ what }) => /^POST .*consumers$/.test(what)).length, 3);

      const lines = new Set(config.split('\n'));
      const edited = (await readFile(join(clone, 'wrangler.toml'), 'utf8')).split('\n');
      assert.deepEqual(
        edited.filter((line) => !lines.has(line)),
        [
          `routes = [{ pattern = "${HOST}", custom_domain = true }]`,
          `PUBLIC_URL = "https://${HOST}"`,
          ...databases.map(({ uuid }) => `database_id = "${String(uuid)}"`),
        ],
      );
      assert.equal(edited.length, config.split('\n').length);
    },
  );

  void it(
    'creates nothing when it is run again, and keeps the field key and the configuration',
    { timeout: 15 * MINUTES },
    async () => {
      const config = await readFile(join(clone, 'wrangler.toml'), 'utf8');
      const { code, output } = await deployFirst('--jurisdiction', 'eu');
      assert.equal(code, 0, output);
      assert.doesNotMatch(output, /FIELD_KEY|created/);
      const created = newChanges().filter(({ what }) =>
        /^POST \/(queues|d1\/database|storage\S*)$|secrets/.test(what),
      );
      assert.deepEqual(created, []);
      assert.equal(cloudflare.secrets.get('FIELD_KEY_1'), firstFieldKey);
      assert.equal(await readFile(join(clone, 'wrangler.toml'), 'utf8'), config);
    },
  );

  void it('refuses another location than that of the existing data', { timeout: 5 * MINUTES }, async () => {
    const { code, output } = await deployFirst('--location', 'weur');
    assert.equal(code, 1);
    assert.match(
      output,
      /Queue customer-batches exists in jurisdiction eu, not \(none\), which can’t be changed/,
    );
    assert.deepEqual(newChanges(), []);
  });
});

void describe('a later deploy', () => {
  void it(
    'has the same result with npm run deploy and with a bare wrangler deploy',
    { timeout: 10 * MINUTES },
    async () => {
      const deploys: Metadata[] = [];
      for (const deploy of [() => run('npm', ['run', 'deploy']), wranglerDeploy]) {
        const { code, output } = await deploy();
        assert.equal(code, 0, output);
        assertProduction(cloudflare.worker);
        deploys.push({ ...cloudflare.worker });
        const subdomain = newChanges().find(({ what }) => what.endsWith('subdomain'));
        assert.deepEqual(subdomain?.body, { enabled: false, previews_enabled: false });
      }
      assert.deepEqual(deploys[1], deploys[0]);
      assert.ok(cloudflare.secrets.has('FIELD_KEY_1'));
    },
  );
});

void describe('administration with --remote', { timeout: 30 * MINUTES }, () => {
  const send = async (path: string, key: string, init: RequestInit = {}) =>
    fetch((await cloudflare.serviceUrl()) + path, {
      ...init,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    });

  void it('creates banks and API keys that the deployed Worker accepts, while it refuses demo keys', async () => {
    const bank = await tool('bank', 'create', '--id', 'bnk_first', '--name', "First's Bank", '--remote');
    assert.match(bank.output, /Created bnk_first/);
    const scopes = 'customers:read,customers:write';
    const key = await tool(
      'key',
      'create',
      '--bank',
      'bnk_first',
      '--name',
      'gateway',
      '--scopes',
      scopes,
      '--remote',
    );
    live = /(peere_live_\S+)/.exec(key.output)?.[1] ?? '';
    assert.equal((await send('/v1/bank/customers', live)).status, 200);
    assert.equal((await send('/v1/bank/customers', 'peere_test_lagos_full')).status, 401);
    assert.match((await tool('bank', 'list', '--remote')).output, /bnk_first.*First's Bank/);
    assert.match((await tool('key', 'list', '--remote')).output, /gateway/);
    assert.match((await tool('batches', 'stalled', '--remote')).output, /No batch is stalled/);
  });

  void it('rotates the field key, and seals again with keys from standard input or a file, never from the environment', async () => {
    const customer = {
      clientRef: 'core-1',
      firstname: 'Ngozi',
      lastname: 'Bello',
      accountName: 'Ngozi Bello',
      email: 'ngozi@example.com',
      country: 'NG',
      phone: '0803 123 4567',
      accountNumber: '0123456789',
      reference: 'r-1',
    };
    const body = JSON.stringify({ customers: [customer] });
    assert.equal((await send('/v1/bank/customers', live, { method: 'POST', body })).status, 201);
    interface Row {
      id: string;
      sealed_fields: string;
    }
    const read = () => cloudflare.rows<Row>('peere-shard-1', 'SELECT id, sealed_fields FROM customers');
    while ((await read()).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));

    const rotated = await tool('field-key', '--remote');
    const secondFieldKey = /FIELD_KEY_2=(\S+)/.exec(rotated.output)?.[1] ?? '';
    assert.equal(cloudflare.secrets.get('FIELD_KEY_2'), secondFieldKey);
    assert.ok(
      !newChanges().some(({ what }) => /^POST \/workers|PUT .*scripts\/[^/]+$/.test(what)),
      'no draft',
    );

    const lines = `FIELD_KEY_1=${firstFieldKey}\nFIELD_KEY_2=${secondFieldKey}\n`;
    const sealAnew = ['tools/admin/field-key.ts', '--seal-anew', '--remote'];
    const inEnvironment = await run(process.execPath, sealAnew, lines, { FIELD_KEY_1: firstFieldKey });
    assert.match(inEnvironment.output, /^Field keys are not read from the environment.*--keys-from/);
    assert.match((await read())[0]?.sealed_fields ?? '', /^1\./);

    const anew = await run(process.execPath, sealAnew, lines);
    assert.match(anew.output, /Sealed 1 customers and 0 webhooks anew, with version 2/);
    const [row] = await read();
    const owner = { bankId: 'bnk_first', ownerId: row?.id ?? '', field: SEALED_VALUE };
    const keys = new Map([[2, await importFieldKey(2, secondFieldKey)]]);
    assert.equal(
      await openField(keys, owner, row?.sealed_fields ?? ''),
      `${customer.accountNumber}\n${customer.reference}`,
    );

    const file = join(clone, 'keys');
    await writeFile(file, lines);
    const fromFile = await run(process.execPath, [...sealAnew, '--keys-from', file]);
    assert.match(fromFile.output, /Sealed 0 customers and 0 webhooks anew/);
    assert.doesNotMatch(anew.output + fromFile.output, new RegExp(firstFieldKey.replaceAll('+', '\\+')));
  });
});

describeRemoteShards(() => ({
  cloudflare,
  clone,
  tool,
  killed: killedTool,
  deploy: () => run('npm', ['run', '--silent', 'deploy']),
}));

void describe('all these commands', () => {
  void it('have sent Cloudflare no request that the mock does not know', () =>
    assert.deepEqual(cloudflare.unknown, []));
});
