/** What `npm start` prints, refuses and restores. Part of `npm run smoke`. */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { DEMO_CUSTOMER } from '../../src/openapi/examples.ts';
import { summarise } from '../../tools/dev/dev-output.ts';
import { freePort } from '../../tools/dev/server.ts';
import { projectFolder } from '../../tools/lib/wrangler.ts';
import { cloneProject, npmPath, wranglerBin } from './clone.ts';

const AUTHORIZED = { Authorization: 'Bearer peere_test_lagos_full' };
const LOOKUP = `/v1/bank/customer?phrase=${DEMO_CUSTOMER.phrase}`;

const folders: string[] = [];
const temporaryFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'peere-start-'));
  folders.push(folder);
  return folder;
};
const servers: Running[] = [];
after(async () => {
  await Promise.all(servers.map(({ stop }) => stop()));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

interface Running {
  url: string;
  output: () => string;
  /** Resolves when the output so far matches. */
  prints: (pattern: RegExp) => Promise<void>;
  stop: () => Promise<void>;
}

async function run(
  cwd: string,
  args: string[],
  options: { port: number; env?: NodeJS.ProcessEnv },
): Promise<Running> {
  const { port, env = {} } = options;
  const child: ChildProcess = spawn(process.execPath, [...args, '--port', `${port}`], {
    cwd,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  const checkAll = () => waiting.forEach((check) => check());
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => {
      output += text;
      checkAll();
    });
  }
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  void ended.then(checkAll);
  const prints = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (pattern.test(output)) resolve();
        else if (child.exitCode !== null) reject(new Error(`It ended:\n${output}`));
        else return;
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });
  const stop = async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT');
    await ended;
  };
  const running = { url: `http://localhost:${port}`, output: () => output, prints, stop };
  servers.push(running);
  return running;
}

const start = async (stateFolder: string, ...options: string[]) => {
  const inspector = await freePort();
  const args = [
    'tools/dev/start.ts',
    '--persist-to',
    stateFolder,
    '--inspector-port',
    `${inspector}`,
    ...options,
  ];
  const running = await run(projectFolder, args, { port: await freePort() });
  await running.prints(/Ready\./);
  return running;
};

/** @returns what a command prints that fails */
async function refusal(args: string[], cwd = projectFolder): Promise<string> {
  const failed = await promisify(execFile)(process.execPath, args, { cwd }).then(
    () => assert.fail('it did not fail'),
    (error: { stderr: string }) => error,
  );
  return failed.stderr;
}
const ONE_SENTENCE = /^[^\n]+\n$/;

void describe('npm start', { timeout: 600_000 }, () => {
  void it('prints a short banner and one line per request, without query values or unknown paths', async () => {
    const server = await start(await temporaryFolder());
    try {
      const banner = server.output().trim().split('\n');
      assert.ok(banner.length <= 10, server.output());
      assert.match(server.output(), /Docs {6}http:\/\/localhost:\d+\/docs/);
      const before = server.output().length;
      await fetch(server.url + LOOKUP, { headers: AUTHORIZED });
      await fetch(`${server.url}/v1/adaobi@example.com`);
      await fetch(`${server.url}/adaobi@example.com?email=adaobi@example.com`);
      await fetch(`${server.url}/errors`);
      await server.prints(/GET {5}\/errors {2}200 {2}\d+ ms\n/);
      await server.prints(/(\(unknown path\).*\n[^]*){2}/);
      const lines = server.output().slice(before).trim().split('\n').sort();
      assert.equal(lines.length, 4, lines.join('\n'));
      const [unknown, unknownToo, page, lookup] = lines;
      assert.match(unknown ?? '', /^GET {5}\(unknown path\) {2}404 {2}\d+ ms$/);
      assert.match(unknownToo ?? '', /^GET {5}\(unknown path\) {2}404/);
      assert.match(page ?? '', /^GET {5}\/errors {2}200/);
      assert.match(lookup ?? '', /^GET {5}\/v1\/bank\/customer {2}200 {2}\d+ ms$/);
      assert.doesNotMatch(server.output(), /adaobi|river.*200|\n\s+at /);
    } finally {
      await server.stop();
    }
  });

  void it('restores the erased demo customer at every start, and keeps other data until --fresh', async () => {
    const folder = await temporaryFolder();
    const first = await start(folder);
    const erased = await fetch(`${first.url}/v1/bank/customer?id=${DEMO_CUSTOMER.id}`, {
      method: 'DELETE',
      headers: AUTHORIZED,
    });
    assert.equal(erased.status, 200);
    assert.equal((await fetch(first.url + LOOKUP, { headers: AUTHORIZED })).status, 404);
    // Another customer takes the email meanwhile.
    const customers = [
      {
        clientRef: 'core-1',
        firstname: 'Another',
        lastname: 'Adaobi',
        accountName: 'Another Adaobi',
        email: DEMO_CUSTOMER.email,
        country: 'NG',
        phone: '0803 123 4567',
        accountNumber: '0123456789',
        reference: 'again',
      },
    ];
    const created = await fetch(`${first.url}/v1/bank/customers`, {
      method: 'POST',
      headers: { ...AUTHORIZED, 'Content-Type': 'application/json' },
      body: JSON.stringify({ customers }),
    });
    assert.equal(created.status, 201);
    await first.stop();

    const second = await start(folder);
    assert.equal((await fetch(second.url + LOOKUP, { headers: AUTHORIZED })).status, 200);
    const audit = (running: Running) =>
      fetch(`${running.url}/v1/bank/audit?subject=${DEMO_CUSTOMER.id}`, { headers: AUTHORIZED }).then(
        (response) => response.json() as Promise<{ data: unknown[] }>,
      );
    assert.notEqual((await audit(second)).data.length, 0);
    await second.stop();

    const third = await start(folder, '--fresh');
    assert.ok(third.output().includes(`Removed ${join(folder, 'v3')}.`));
    assert.equal((await audit(third)).data.length, 0);
    assert.equal((await fetch(third.url + LOOKUP, { headers: AUTHORIZED })).status, 200);
    await third.stop();
  });

  void it('says in one sentence that its port is in use, and what to do', async () => {
    const other = createServer((_, response) => response.end('another service'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const said = await refusal(['tools/dev/start.ts', '--port', `${port}`]);
    other.close();
    assert.match(said, ONE_SENTENCE);
    assert.match(said, new RegExp(`Port ${port} is in use.*npm start -- --port`));
  });

  void it('says in one sentence that an option is unknown, as every command does', async () => {
    for (const [args, hint] of [
      [['tools/dev/start.ts', '--prot', '9000'], /--prot.*--port.*npm start -- --help/],
      [['tools/dev/start.ts', '9000'], /npm start -- --port/],
      [['tools/admin/key.ts', 'create', '--bnak', 'x'], /npm run key -- create --help/],
      [['tools/admin/bank.ts', 'crate'], /crate.*create.*npm run bank -- --help/],
    ] as const) {
      const said = await refusal([...args]);
      assert.match(said, ONE_SENTENCE);
      assert.match(said, hint);
    }
  });

  void it('prints in its help the command to type, as every command does', async () => {
    for (const [args, usage] of [
      [['tools/dev/start.ts'], 'npm start -- [options]'],
      [['tools/admin/key.ts', 'list'], 'npm run key -- list [options]'],
      [['tools/admin/deploy-first.ts'], 'npm run deploy:first -- [options]'],
    ] as const) {
      const { stdout } = await promisify(execFile)(process.execPath, [...args, '--help'], {
        cwd: projectFolder,
      });
      assert.equal(stdout.split('\n')[0], `Usage: ${usage}`);
    }
  });

  void it('says in one sentence what to do if Node is too old or nothing is installed', async () => {
    // Simulates an older Node: the check only reads the version.
    const older = `Object.defineProperty(process.versions, 'node', { value: '18.0.0' }); require('./tools/preflight.cjs')`;
    const said = await refusal(['-e', older]);
    assert.match(said, ONE_SENTENCE);
    assert.match(said, /Node 18\.0\.0.*npm ci --ignore-scripts=false/);

    const bare = await temporaryFolder();
    await mkdir(join(bare, 'tools'));
    await cp(join(projectFolder, 'tools/preflight.cjs'), join(bare, 'tools/preflight.cjs'));
    assert.equal(
      await refusal(['tools/preflight.cjs'], bare),
      'Nothing is installed yet: run npm ci first.\n',
    );
  });
});

void describe('npm run demo -- --file', { timeout: 60_000 }, () => {
  void it('writes into the folder of its caller', async () => {
    const folder = await temporaryFolder();
    await promisify(execFile)(
      'npm',
      ['run', 'demo', '--prefix', projectFolder, '--', '--file', 'some.csv', '--count', '1'],
      { cwd: folder, env: { ...process.env, INIT_CWD: undefined } },
    );
    assert.ok(existsSync(join(folder, 'some.csv')));
  });
});

void describe('the summary of what wrangler dev prints', () => {
  const warning = '\u001b[33m▲ \u001b[43;33m[\u001b[43;30mWARNING\u001b[43;33m]\u001b[0m \u001b[1m';
  const error = '\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m \u001b[1m';
  const request = '{"event":"request","method":"GET","route":"/v1/bank/customer","milliseconds":7,';

  void it('has a line for each error of the Worker or of the build', () => {
    for (const [printed, text] of [
      [
        `${warning}{"event":"rate_limiter_failed","limiter":"lookups"}`,
        'warning  rate_limiter_failed  limiter=lookups',
      ],
      [`${error}{"event":"field_key_missing"}\u001b[0m`, 'error  field_key_missing'],
      [`${error}${request}"status":500,"code":"INTERNAL"}`, 'GET     /v1/bank/customer  500 INTERNAL  7 ms'],
      ['[wrangler:error] Error: boom', 'error  Error: boom'],
      [`${error}Build failed with 1 error:`, 'error  Build failed with 1 error:'],
    ] as const) {
      assert.equal(summarise(printed)?.text, text);
    }
  });

  void it('drops everything else: stack traces, remarks about cron, tables of bindings, repeated requests', () => {
    for (const printed of [
      '    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:123:26)',
      '[wrangler:warn] Unable to fetch the `Request.cf` object! Falling back to a default placeholder...',
      `${warning}Scheduled Workers are not automatically triggered during local development.`,
      'env.LOOKUP_LIMIT (100 requests/10s)                                   Rate Limit',
      '[wrangler:info] GET /v1/bank/customer 200 OK (28ms)',
      '[wrangler:info] GET /adaobi@example.com 404 Not Found (3ms)',
      '[wrangler:info] GET /cdn-cgi/handler/scheduled 200 OK (3ms)',
      '{"event":"chunks_sent_again","chunks":3}',
      '{"event":truncated}',
    ]) {
      assert.equal(summarise(printed), undefined);
    }
  });
});

void describe('npx wrangler dev', { timeout: 300_000 }, () => {
  void it('serves the demo in a fresh clone', async () => {
    const clone = await cloneProject();
    folders.push(clone);
    const inspector = `${await freePort()}`;
    const args = [wranglerBin, 'dev', '--show-interactive-dev-session=false', '--inspector-port', inspector];
    const server = await run(clone, args, { port: await freePort(), env: { PATH: npmPath } });
    try {
      await server.prints(/Ready on/);
      assert.equal((await fetch(server.url + LOOKUP, { headers: AUTHORIZED })).status, 200);
      assert.ok(existsSync(join(clone, '.dev.vars')));
    } finally {
      await server.stop();
    }
  });
});
