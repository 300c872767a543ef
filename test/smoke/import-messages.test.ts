/** Messages and exit codes of `peere-import` when something goes wrong. `npm run importer`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, statSync } from 'node:fs';
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { spawn } from 'node:child_process';
import manifest from '../../packages/cli/package.json' with { type: 'json' };
import {
  at,
  cells,
  csv,
  ended,
  EXIT,
  goodRows,
  HEADER,
  KEY,
  preload,
  PROGRAM,
  run,
  serverUrl,
  start,
  total,
  untilDone,
} from './importer.ts';
import {
  behindTls,
  createProxy,
  listen,
  makeCertificate,
  relayTo,
  resetting,
  saying,
  type Listening,
} from './network.ts';

/** Keeps the proxy settings of this machine out of the tests. */
const NO_PROXIES = {
  HTTP_PROXY: '',
  HTTPS_PROXY: '',
  NO_PROXY: '',
  http_proxy: '',
  https_proxy: '',
  no_proxy: '',
};
/** Characters that a terminal would obey. */
const COMMANDS = /[^\P{Cc}\n]|\p{Bidi_Control}/u;

/** Listens until the test ends. */
async function listenFor(
  test: TestContext,
  server: Parameters<typeof listen>[0],
  port = 0,
): Promise<Listening> {
  const listening = await listen(server, port);
  test.after(() => listening.stop());
  return listening;
}

const writeOne = (name = 'one.csv') => writeFile(at(name), csv(goodRows(1)));

void describe('the exit code', { timeout: 240_000 }, () => {
  void it('is 0 when every row became a customer, and the report counts one row as one', async () => {
    await writeOne();
    const { code, output } = await run(['one.csv']);
    assert.equal(code, EXIT.all, output);
    assert.match(output, /^1 row: 1 became a customer, 0 failed\./m);
    await writeFile(at('two.csv'), csv(goodRows(2)));
    assert.match((await run(['two.csv'])).output, /^2 rows: 2 became customers, 0 failed\./m);
  });

  void it('is 1 when some rows became customers, and again when the finished import is run again', async () => {
    await writeFile(at('some.csv'), csv([...goodRows(1), { ...goodRows(1)[0], email: 'none' }]));
    assert.equal((await run(['some.csv'])).code, EXIT.some);
    const again = await run(['some.csv']);
    assert.equal(again.code, EXIT.some, again.output);
  });

  for (const [what, text, words] of [
    ['no row became a customer', csv([{ ...goodRows(1)[0], email: 'none' }]), /0 became customers/],
    ['the file has a header and no rows', csv([]), /nothing to import/],
  ] as const) {
    void it(`is 2 when ${what}`, async () => {
      await writeFile(at('none.csv'), text);
      const { code, output } = await run(['none.csv']);
      assert.equal(code, EXIT.none, output);
      assert.match(output, words);
    });
  }

  void it('is 3 when the service becomes unreachable, and the same command continues when it is back', async (test) => {
    const relay = await listenFor(test, relayTo(serverUrl()));
    const rows = goodRows(6_000);
    await writeFile(at('cut.csv'), csv(rows));
    const known = await total();
    const args = ['cut.csv', '--batch-rows', '1000', '--concurrency', '1'];
    const environment = { ...NO_PROXIES, PEERE_URL: `http://localhost:${relay.port}` };
    const end = ended(start(args, environment));
    await untilDone('cut.import.ndjson', 1);
    await relay.stop();
    const { code, output } = await end;
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /ECONNREFUSED.*\nWhat was accepted is safe; run the same command again to continue\.$/m,
    );
    await listenFor(test, relayTo(serverUrl()), relay.port);
    const on = await run(args, environment);
    assert.equal(on.code, EXIT.all, on.output);
    assert.match(on.output, /Continuing after [1-5],000 rows\./);
    assert.equal((await total()) - known, rows.length);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    void it(`is 130 after ${signal}, and the program says that the same command continues`, async () => {
      await writeFile(at('stopped.csv'), csv(goodRows(6_000)));
      const args = ['stopped.csv', '--batch-rows', '1000', '--concurrency', '1'];
      const child = start(args);
      const end = ended(child);
      await untilDone('stopped.import.ndjson', 1);
      child.kill(signal);
      const { code, output } = await end;
      assert.equal(code, EXIT.interrupted, output);
      assert.match(
        output,
        /^Stopped\. What was accepted is safe; run the same command again to continue\.$/m,
      );
    });
  }

  void it('is that of the import even if the reader of its output is gone', async () => {
    await writeOne();
    // The clock advances by a minute each time it is read, so that there is progress to show.
    const slowly = preload('let minutes = 0; performance.now = () => (minutes += 1) * 60_000;');
    const child = start(['one.csv'], slowly);
    child.stdout?.destroy();
    child.stderr?.destroy();
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, EXIT.all);
    assert.equal(cells('one.phrases.csv').length, 1);
  });
});

void describe('the program', { timeout: 60_000 }, () => {
  void it('prints its version, and names the service and the file before it reads', async () => {
    const { code, output } = await run(['--version']);
    assert.equal(code, EXIT.all);
    assert.equal(output, `${manifest.version}\n`);
    await writeOne();
    const begun = (await run(['one.csv'])).output;
    assert.ok(begun.startsWith(`Connecting to ${serverUrl()} …\nReading one.csv …\n`), begun);
  });

  void it('says where a wrong API key came from, and does not show the key', async () => {
    await writeOne();
    for (const [args, environment, where] of [
      [[], { PEERE_API_KEY: 'peere_test_nobody' }, 'PEERE_API_KEY'],
      [['--key', 'peere_test_nobody'], {}, '--key'],
    ] as const) {
      const { code, output } = await run(['one.csv', ...args], environment);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, new RegExp(`does not accept the API key in ${where}: check that it is complete`));
      assert.doesNotMatch(output, /peere_test_nobody/);
    }
  });

  void it('prints no control character from a server, a file or a file name', async (test) => {
    const evil = '\u001B[2J\u009B31m\u0007\r\u202Eevil\u2066\u2028';
    const body = JSON.stringify({
      code: 'FORBIDDEN',
      message: `No ${evil}`,
      errors: [{ field: evil, message: evil }],
      docs: `https://x.example/${evil}`,
    });
    const bytes = Buffer.byteLength(body);
    const stranger = await listenFor(
      test,
      saying(`HTTP/1.1 403 No\r\nContent-Length: ${bytes}\r\n\r\n${body}`),
    );
    const name = `${evil.replaceAll(/[\r\u2028]/g, '')}.csv`;
    const [row] = goodRows(1);
    await writeFile(at(name), csv([{ ...row, [evil]: evil, email: 'none' }], [...HEADER, evil]));
    const said = await run([name], { ...NO_PROXIES, PEERE_URL: `http://localhost:${stranger.port}` });
    assert.match(said.output, /No \\u\{1b\}\[2J/);
    const read = await run([name]);
    assert.match(read.output, /Not sent: .*evil/);
    assert.match(read.output, /1 row: 0 became customers, 1 failed/);
    const missing = await run([`none${name}`]);
    assert.match(missing.output, /There is no file none.*evil/);
    const option = await run([`--${evil}`]);
    assert.match(option.output, /unknown option .*evil/);
    for (const { output } of [said, read, missing, option]) assert.doesNotMatch(output, COMMANDS);
  });
});

void describe('an unreachable service', { timeout: 120_000 }, () => {
  const importFrom = async (url: string, environment: Record<string, string> = {}) => {
    await writeOne();
    const { code, output } = await run(['one.csv', '--url', url], { ...NO_PROXIES, ...environment });
    assert.equal(code, EXIT.fault, output);
    assert.doesNotMatch(output, /\n\s+at /, 'no stack');
    assert.equal(output.trimEnd().split('\n').length, 2, `“Connecting” and one sentence:\n${output}`);
    return output;
  };

  void it('is explained by the fault of its certificate', async (test) => {
    const own = await makeCertificate('localhost', at('own'));
    const other = await makeCertificate('other.example', at('other'));
    const selfSigned = await listenFor(test, behindTls(serverUrl(), own));
    assert.match(
      await importFrom(`https://localhost:${selfSigned.port}`),
      /certificate of https:\/\/localhost:\d+ is signed by an authority.* \(DEPTH_ZERO_SELF_SIGNED_CERT\): .*NODE_EXTRA_CA_CERTS/,
    );
    const wrongHost = await listenFor(test, behindTls(serverUrl(), other));
    assert.match(
      await importFrom(`https://localhost:${wrongHost.port}`, { NODE_EXTRA_CA_CERTS: other.path }),
      /certificate of .* is for another host \(ERR_TLS_CERT_ALTNAME_INVALID\): check the host name/,
    );
  });

  void it('is explained by the protocol that it does not use', async (test) => {
    assert.match(
      await importFrom(serverUrl().replace('http:', 'https:')),
      /does not use TLS, or a version .* \(\w+\): check the port of the URL, and whether it should begin with http:\/\//,
    );
    const ssh = await listenFor(test, saying('SSH-2.0-OpenSSH_9.2\r\n'));
    assert.match(
      await importFrom(`http://localhost:${ssh.port}`),
      /does not use HTTP \(HPE_\w+\): check the port of the URL/,
    );
    const other = await listenFor(test, saying('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    assert.match(
      await importFrom(`http://localhost:${other.port}`),
      /The server that responded \(status 200\) is not the Peere customers API: check the URL/,
    );
    const gateway = await listenFor(test, saying('HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\nhi'));
    assert.match(
      await importFrom(`http://localhost:${gateway.port}`),
      /gateway returned 502.*try again later/,
    );
  });

  void it('is explained by how the connection failed', async (test) => {
    assert.match(
      await importFrom('http://localhost:1'),
      /Nothing accepts connections at http:\/\/localhost:1 \(ECONNREFUSED\): check the host and port/,
    );
    assert.match(
      await importFrom('http://no-such-host.invalid'),
      /host name of http:\/\/no-such-host\.invalid was not found \((ENOTFOUND|EAI_AGAIN)\): check the URL/,
    );
    const hangsUp = await listenFor(test, resetting());
    assert.match(
      await importFrom(`http://localhost:${hangsUp.port}`),
      /connection to .* was closed before a response arrived \(ECONNRESET\): .*https:\/\//,
    );
  });

  void it('is explained by what its proxy did', async (test) => {
    const url = 'https://api.example.com';
    const deny = await listenFor(test, saying('HTTP/1.1 403 \u001B[31mNo\r\n\r\n'));
    assert.match(
      await importFrom(url, { HTTPS_PROXY: `http://user:secret@localhost:${deny.port}` }),
      /The proxy localhost:\d+ did not connect to https:\/\/api\.example\.com \(it returned 403\): check HTTPS_PROXY/,
    );
    const locked = await listenFor(test, saying('HTTP/1.1 407 Who\r\n\r\n'));
    const denied = await importFrom(url, { HTTPS_PROXY: `user:secret@localhost:${locked.port}` });
    assert.match(denied, /The proxy localhost:\d+ requires a username and password \(407\)/);
    assert.doesNotMatch(denied, /secret/);
    assert.match(
      await importFrom(url, { HTTPS_PROXY: 'http://localhost:1' }),
      /The proxy localhost:1 can’t be reached \(ECONNREFUSED\): check HTTPS_PROXY/,
    );
    assert.match(
      await importFrom('http://localhost:1', { HTTP_PROXY: 'socks5://localhost:9' }),
      /ECONNREFUSED.* HTTP_PROXY was not used, because it is not the URL of an HTTP proxy/,
    );
  });
});

void describe('a proxy in the environment', { timeout: 120_000 }, () => {
  void it('is used, except for the hosts of NO_PROXY', async (test) => {
    const { server, requests } = createProxy();
    const proxy = await listenFor(test, server);
    const environment = { ...NO_PROXIES, HTTP_PROXY: `http://localhost:${proxy.port}` };
    await writeOne();
    const { code, output } = await run(['one.csv'], environment);
    assert.equal(code, EXIT.all, output);
    assert.ok(requests.includes(`POST ${serverUrl()}/v1/bank/customers`), requests.join('\n'));
    const before = requests.length;
    await writeOne('two.csv');
    assert.equal((await run(['two.csv'], { ...environment, NO_PROXY: 'localhost' })).code, EXIT.all);
    assert.equal(requests.length, before);
  });

  void it('is used as a tunnel for https', async (test) => {
    const { server, requests } = createProxy();
    const proxy = await listenFor(test, server);
    const certificate = await makeCertificate('localhost', at('own'));
    const front = await listenFor(test, behindTls(serverUrl(), certificate));
    await writeOne();
    const { code, output } = await run(['one.csv'], {
      ...NO_PROXIES,
      PEERE_URL: `https://localhost:${front.port}`,
      HTTPS_PROXY: `http://localhost:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: certificate.path,
    });
    assert.equal(code, EXIT.all, output);
    assert.equal(requests[0], `CONNECT localhost:${front.port}`);
  });
});

void describe('the outputs of an import', { timeout: 120_000 }, () => {
  for (const [what, delimiter] of [
    ['semicolons', ';'],
    ['tabs', '\t'],
    ['bars', '|'],
    ['commas', ','],
  ] as const) {
    void it(`have the ${what} of the input and a byte order mark, and survive a spreadsheet`, async () => {
      const name = 'Adébáyọ̀';
      const [good, bad] = goodRows(2).map((row) => ({
        ...row,
        firstname: name,
        accountName: `=${name}; & Co`,
      }));
      const text = csv([good ?? {}, { ...bad, country: 'Atlantis' }], HEADER, delimiter);
      await writeFile(at('names.csv'), text);
      assert.equal((await run(['names.csv'])).code, EXIT.some);
      for (const file of ['names.phrases.csv', 'names.failures.csv']) {
        const written = await readFile(at(file), 'utf8');
        assert.equal(written.charAt(0), '\uFEFF');
        assert.ok(written.split('\n')[0]?.includes(delimiter), written);
      }
      const [failure] = cells('names.failures.csv', delimiter);
      assert.equal(failure?.['firstname'], name);
      assert.equal(failure?.['accountName'], `'=${name}; & Co`);
      const fixed = (await readFile(at('names.failures.csv'), 'utf8')).replace('Atlantis', 'NG');
      await writeFile(at('names.failures.csv'), fixed);
      const { code, output } = await run(['names.failures.csv']);
      assert.equal(code, EXIT.all, output);
      const [customer] = cells('names.failures.phrases.csv', delimiter);
      assert.equal(customer?.['clientRef'], bad?.clientRef);
    });
  }

  void it('have no header that a spreadsheet takes for a formula, and are read with the original header', async () => {
    const [row] = goodRows(1);
    const header = HEADER.map((name) => (name === 'firstname' ? '=Vorname' : name));
    const map = ['--map', 'firstname==Vorname'];
    await writeFile(at('h.csv'), csv([{ ...row, '=Vorname': '\n=1', country: 'Atlantis' }], header));
    assert.equal((await run(['h.csv', ...map])).code, EXIT.none);
    const [failure] = cells('h.failures.csv');
    assert.equal(failure?.["'=Vorname"], "'\n=1");
    const fixed = (await readFile(at('h.failures.csv'), 'utf8'))
      .replace('Atlantis', 'NG')
      .replace('\n=1', 'Ada');
    await writeFile(at('h.failures.csv'), fixed);
    const { code, output } = await run(['h.failures.csv', ...map]);
    assert.equal(code, EXIT.all, output);
  });

  void it('have commas if the input is not CSV or its separator is only known from its first line', async () => {
    await writeFile(at('rows.ndjson'), JSON.stringify(goodRows(1)[0]));
    await writeFile(at('sep.csv'), `sep=^\n${csv(goodRows(1), HEADER, '^')}`);
    for (const [name, phrases] of [
      ['rows.ndjson', 'rows.phrases.csv'],
      ['sep.csv', 'sep.phrases.csv'],
    ] as const) {
      const { code, output } = await run([name]);
      assert.equal(code, EXIT.all, output);
      assert.match(cells(phrases)[0]?.['phrase'] ?? '', /^\w+-\w+-\w+-\w+$/);
    }
  });

  void it('are explained if standard input can’t be read to its end', async () => {
    const rows = `${csv(goodRows(1_000))}"never`;
    const { code, output } = await ended(start(['-', '--batch-rows', '1000', '--concurrency', '1']), rows);
    assert.equal(code, EXIT.fault, output);
    assert.match(output, / What was accepted is safe, but an import from standard input can’t be continued/);
  });

  void it('can be read by their owner alone, even if they existed with wider permissions', async () => {
    const rows = goodRows(3_000).map((row, n) => ({ ...row, country: n % 2 === 0 ? 'NG' : 'Atlantis' }));
    await writeFile(at('p.csv'), csv(rows));
    const args = ['p.csv', '--batch-rows', '1000', '--concurrency', '1'];
    const child = start(args);
    await untilDone('p.import.ndjson', 1);
    child.kill('SIGKILL');
    await once(child, 'close');
    const written = ['p.phrases.csv', 'p.failures.csv', 'p.import.ndjson'];
    const modes = () => written.map((name) => statSync(at(name)).mode & 0o777);
    assert.deepEqual(modes(), [0o600, 0o600, 0o600]);
    for (const name of written) chmodSync(at(name), 0o644);
    assert.equal((await run(args)).code, EXIT.some);
    assert.deepEqual(modes(), [0o600, 0o600, 0o600]);
    assert.equal(cells('p.failures.csv').length, 1_500);
    assert.equal(cells('p.phrases.csv').length, 1_500);
  });

  void it('are complete once a full disk has room again, and no row is lost', async () => {
    const rows = goodRows(3_000);
    await writeFile(at('full.csv'), csv(rows));
    const known = await total();
    const args = ['full.csv', '--batch-rows', '1000', '--concurrency', '1'];
    // A limit of 100 KB per file looks like a full disk to the program.
    const child = spawn('bash', ['-c', 'ulimit -f 100; exec "$0" "$@"', process.execPath, PROGRAM, ...args], {
      cwd: at('.'),
      env: { ...process.env, PEERE_URL: serverUrl(), PEERE_API_KEY: KEY },
    });
    const { code, output } = await ended(child);
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /has no room .*: free some space\.\nWhat was accepted is safe; run the same command again/,
    );
    assert.equal((await run(args)).code, EXIT.all);
    assert.deepEqual(
      cells('full.phrases.csv').map(({ clientRef }) => clientRef),
      rows.map(({ clientRef }) => clientRef),
    );
    assert.equal((await total()) - known, rows.length);
  });

  void it(
    'are refused with a sentence if the folder of the input is not writable',
    { skip: !existsSync('/sys/kernel/uevent_seqnum') },
    async () => {
      const { code, output } = await run(['/sys/kernel/uevent_seqnum', '--format', 'csv']);
      assert.equal(code, EXIT.fault, output);
      assert.match(
        output,
        /The folder \/sys\/kernel, where .* is not writable \(E\w+\): copy the file to a folder/,
      );
    },
  );
});

void describe('a file of another program with the name of an import’s file', { timeout: 120_000 }, () => {
  for (const [what, content] of [
    ['rows', `${JSON.stringify(goodRows(1)[0])}\n`],
    ['a line without an end', 'my notes'],
    ['a number', '5\n'],
    ['an object of another program, and no line end', '{"journal":"sales"}'],
    ['a journal of another program', '{"journal":"sales","entries":[]}\n'],
  ] as const) {
    void it(`is left alone if it has the journal’s name and holds ${what}`, async () => {
      await writeOne('u.csv');
      await writeFile(at('u.import.ndjson'), content);
      const { code, output } = await run(['u.csv']);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, /u\.import\.ndjson is not the journal of an import\. Move it away/);
      assert.equal(await readFile(at('u.import.ndjson'), 'utf8'), content);
    });
  }

  void it('is not truncated if it replaced an output of the import', async () => {
    await writeFile(at('place.csv'), csv(goodRows(3_000)));
    const args = ['place.csv', '--batch-rows', '1000', '--concurrency', '1'];
    const child = start(args);
    await untilDone('place.import.ndjson', 1);
    child.kill('SIGKILL');
    await once(child, 'close');
    const content = 'mine\n'.repeat(100_000);
    const old = await readFile(at('place.phrases.csv'));
    await writeFile(at('place.phrases.csv'), content);
    const { code, output } = await run(args);
    assert.equal(code, EXIT.fault, output);
    assert.match(output, /place\.phrases\.csv is not the file that this import wrote/);
    assert.equal(await readFile(at('place.phrases.csv'), 'utf8'), content);
    await writeFile(at('place.phrases.csv'), old);
    // The same server, with its URL written differently.
    const url = `${serverUrl().replace('localhost', 'LOCALHOST')}/`;
    const again = await run([...args, '--url', url]);
    assert.equal(again.code, EXIT.all, again.output);
  });

  for (const [what, make] of [
    ['a folder', (path: string) => mkdir(path)],
    ['no lock', (path: string) => writeFile(path, 'my notes')],
    ['a lock of other types', (path: string) => writeFile(path, '{"host":"h","pid":1,"since":5}')],
  ] as const) {
    void it(`is left alone if it has the lock’s name and is ${what}`, async () => {
      const path = at('u.import.lock');
      await writeOne('u.csv');
      await make(path);
      const longAgo = new Date(Date.now() - 3_600_000);
      await utimes(path, longAgo, longAgo);
      const { code, output } = await run(['u.csv']);
      assert.equal(code, EXIT.fault, output);
      assert.match(
        output,
        /u\.import\.lock is not the lock of this command, which belongs there: move it away/,
      );
      assert.equal(existsSync(path), true);
    });
  }
});

void describe('a file without rows', { timeout: 60_000 }, () => {
  for (const [name, text, words] of [
    ['none.csv', '', /none\.csv is empty: there is nothing to import/],
    ['blank.csv', '\uFEFF \r\n,,\r\n', /blank\.csv is empty: there is nothing to import/],
    ['none.json', ' ', /none\.json is empty: there is nothing to import/],
    ['none.ndjson', '\n', /The file has no rows: there is nothing to import/],
    ['header.csv', csv([]), /The file has no rows: there is nothing to import/],
    ['list.json', '[]', /The file has no rows: there is nothing to import/],
  ] as const) {
    void it(`(${name}) is reported as nothing to import, each time, with exit code 2`, async () => {
      await writeFile(at(name), text);
      const fromStdin = () => ended(start(['-', '--format', name.split('.')[1] ?? '']), text);
      for (const go of [() => run([name, '--dry-run']), () => run([name]), () => run([name]), fromStdin]) {
        const { code, output } = await go();
        assert.equal(code, EXIT.none, output);
        assert.match(output, /there is nothing to import/);
        assert.doesNotMatch(output, /row\w*\/s|accepted/);
      }
      assert.match((await run([name])).output, words);
    });
  }
});

void describe('the lock of an import', { timeout: 120_000 }, () => {
  const LOCK = 'one.import.lock';
  const writeLock = (owner: object) => writeFile(at(LOCK), JSON.stringify(owner));
  const linkless = preload(`
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    fs.linkSync = () => { throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' }); };
    syncBuiltinESMExports();`);

  void it('is stale if its process id now belongs to a process with another start time', async () => {
    await writeOne();
    await writeLock({ host: hostname(), pid: process.pid, started: 'another boot 1' });
    const { code, output } = await run(['one.csv']);
    assert.equal(code, EXIT.all, output);
    assert.equal(existsSync(at(LOCK)), false);
  });

  void it('is valid if it has no start time but the process exists, and the message names the file', async () => {
    await writeOne();
    await writeLock({ host: hostname(), pid: process.pid });
    const { code, output } = await run(['one.csv']);
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      new RegExp(`by process ${process.pid}: wait for it, or .* remove \\S*${LOCK} and run`),
    );
  });

  void it('of another host is reported with the host, the time, and the file to remove', async () => {
    await writeOne();
    await writeLock({ host: 'branch-7', pid: 4711, since: '2026-11-20T10:03:17.000Z' });
    const { code, output } = await run(['one.csv']);
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /by process 4711 on branch-7 since 2026-11-20 10:03 UTC: wait for it, or if no peere is running there any more, remove \S*one\.import\.lock/,
    );
    await rm(at(LOCK));
    assert.equal((await run(['one.csv'])).code, EXIT.all);
  });

  void it('that is truncated is valid for a minute and no longer', async () => {
    await writeOne();
    await writeFile(at(LOCK), '{"host":');
    const { code, output } = await run(['one.csv']);
    assert.equal(code, EXIT.fault, output);
    assert.match(output, /has just begun, or was stopped as it began: wait a minute/);
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(at(LOCK), longAgo, longAgo);
    assert.equal((await run(['one.csv'])).code, EXIT.all);
  });

  void it('works in a folder without hard links', async () => {
    await writeFile(at('one.csv'), csv(goodRows(6_000)));
    const args = ['one.csv', '--batch-rows', '1000', '--concurrency', '1'];
    const end = ended(start(args, linkless));
    await untilDone('one.import.ndjson', 1);
    const second = await run(args, linkless);
    assert.equal(second.code, EXIT.fault, second.output);
    assert.match(second.output, /being imported already, by process \d+ since/);
    const { code, output } = await end;
    assert.equal(code, EXIT.all, output);
    assert.equal(existsSync(at(LOCK)), false);
  });
});
