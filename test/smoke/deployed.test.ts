/** `npm run smoke -- --url …`, against a server that works and servers that fail. Part of `npm run smoke`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { startServer, type Server } from '../../tools/dev/server.ts';
import { projectFolder } from '../../tools/lib/wrangler.ts';
import { startBetween, type Between } from './between.ts';

const FULL = 'peere_test_lagos_full';

let server: Server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

interface Run {
  code: number | null;
  out: string;
  err: string;
}

/** @param interruptWhen polled; once it returns true, the program gets SIGINT, as from Ctrl-C */
async function smoke(url: string, key: string, interruptWhen: () => boolean = () => false): Promise<Run> {
  const child = spawn(process.execPath, ['tools/admin/smoke.ts', '--url', url, '--key', key], {
    cwd: projectFolder,
  });
  const run: Run = { code: null, out: '', err: '' };
  child.stdout.on('data', (text) => (run.out += text));
  child.stderr.on('data', (text) => (run.err += text));
  const watch = setInterval(() => {
    if (!interruptWhen()) return;
    clearInterval(watch);
    child.kill('SIGINT');
  }, 50);
  [run.code] = (await once(child, 'close')) as [number | null];
  clearInterval(watch);
  return run;
}

async function get(path: string) {
  const response = await fetch(server.url + path, { headers: { Authorization: `Bearer ${FULL}` } });
  return { headers: response.headers, body: JSON.parse(await response.text()) };
}

/** @returns the number of customers of the bank, once no batch is under way */
async function settledCustomerCount(): Promise<string | null> {
  for (;;) {
    const { body } = await get('/v1/bank/customers/batches?status=PROCESSING');
    if (body.data.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return (await get('/v1/bank/customers?limit=1')).headers.get('X-Total-Count');
}

/** Runs it against a server at which one request has another fate. */
async function smokeWith(fate: Between, method: string, interrupt = false): Promise<Run> {
  let wasMet = false;
  const between = await startBetween(server.url, (requestMethod, path) => {
    const isTarget = requestMethod === method && !path.includes('?') && !wasMet;
    wasMet ||= isTarget;
    return isTarget ? fate : 'forwards';
  });
  try {
    return await smoke(between.url, FULL, () => interrupt && wasMet);
  } finally {
    await between.stop();
  }
}

void describe('npm run smoke -- --url', () => {
  void it('passes if everything works, and leaves no customer behind', { timeout: 300_000 }, async () => {
    const known = await settledCustomerCount();
    const { code, out, err } = await smoke(server.url, FULL);
    assert.deepEqual([code, err], [0, '']);
    for (const what of ['found by phrase', 'updated', 'the audit log has it'])
      assert.match(out, new RegExp(what));
    assert.equal(await settledCustomerCount(), known);
  });

  const refusals: [string, () => string, string, RegExp][] = [
    [
      'an API key that is not valid there',
      () => `${server.url}/`,
      'peere_test_nobody',
      /^The API key is not valid at/,
    ],
    [
      'an API key without the scopes',
      () => server.url,
      'peere_test_lagos_standard',
      /^The API key lacks a scope: it needs .*\.$/,
    ],
    ['a URL without TLS', () => 'http://api.example.com', FULL, /^--url must begin with https/],
    ['a malformed URL', () => 'api.example.com', FULL, /^--url must be the URL/],
  ];
  for (const [what, url, key, sentence] of refusals) {
    void it(`says in one sentence what is wrong with ${what}`, { timeout: 60_000 }, async () => {
      const { code, err } = await smoke(url(), key);
      assert.equal(code, 1);
      assert.match(err.trim(), sentence);
      assert.equal(err.trim().split('\n').length, 1);
    });
  }

  void it('says in one sentence that there is no response at a URL', { timeout: 60_000 }, async () => {
    const gone = await startBetween(server.url, () => 'forwards');
    await gone.stop();
    const { code, err } = await smoke(gone.url, FULL);
    assert.equal(code, 1);
    assert.match(err, /^No response to GET \S+\/health \(ECONNREFUSED\): check --url and the network\.\n$/);
  });

  void it('recognises another service', { timeout: 60_000 }, async () => {
    const other = await startBetween(server.url, () => 'fails');
    const { code, err } = await smoke(other.url, FULL);
    await other.stop();
    assert.equal(code, 1);
    assert.match(err, /is not this service/);
  });

  const failures: [string, Between, string, boolean, number][] = [
    ['when a check fails', 'fails', 'PATCH', false, 1],
    ['when the response to its batch is lost', 'loses', 'POST', false, 1],
    ['after Ctrl-C', 'stalls', 'PATCH', true, 130],
  ];
  for (const [when, fate, method, interrupt, expected] of failures) {
    void it(`erases its customers ${when}`, { timeout: 300_000 }, async () => {
      const known = await settledCustomerCount();
      const { code, err } = await smokeWith(fate, method, interrupt);
      assert.equal(code, expected, err);
      assert.equal(await settledCustomerCount(), known);
    });
  }
});
