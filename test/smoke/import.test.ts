/**
 * `peere-import` as a bank's engineer uses it: the built program, real files, a real server. `npm run importer`.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { writeCsv } from '../../tools/lib/csv.ts';
import { generateCustomers } from '../../tools/dev/customers.ts';
import { watchMemory } from '../../tools/lib/memory.ts';
import { d1 } from '../../tools/lib/wrangler.ts';
import {
  get,
  at,
  cells,
  csv,
  ended,
  EXIT,
  goodRows,
  HEADER,
  KEY,
  run,
  serverUrl,
  start,
  stateFolder,
  total,
  untilDone,
} from './importer.ts';

/** Maximum memory of the program, whatever the size of the file. */
const MAX_MB = 150;

void describe('a file', { timeout: 120_000 }, () => {
  void it('with a byte order mark, CRLF, semicolons, quoted lines and its own headers is imported as it is', async () => {
    const [row, other] = goodRows(2);
    const text = [
      'Client Ref;First Name;Surname;account_name;E-Mail;Country Code;Account No.;REFERENCE;Address;Branch',
      `${row?.clientRef};Zoë;Okafor;"Zoë ""Zo"" Okafor; Ltd";${row?.email};ng;0123456789;r-1;"12 Marina Road";Ikeja`,
      `${other?.clientRef};Ada;Eze;Ada Eze;${other?.email};NG;0123456789;r-2;"12 Marina\r\nRoad";Ikeja`,
    ].join('\r\n');
    await writeFile(at('export.csv'), `\uFEFF${text}`);
    const { code, output } = await run(['export.csv']);
    assert.equal(code, EXIT.all, output);
    assert.match(output, /Not sent: Branch/);
    const [found, second] = cells('export.phrases.csv', ';');
    assert.equal(found?.['row'], '1');
    const { body } = await get(`/v1/bank/customer?phrase=${found?.['phrase']}`);
    assert.equal(body.data.accountName, 'Zoë "Zo" Okafor; Ltd');
    assert.equal(body.data.id, found?.['id']);
    // A line break in a quoted cell does not end the row; the service turns it into a space.
    assert.equal(second?.['row'], '2');
    const { body: folded } = await get(`/v1/bank/customer?phrase=${second?.['phrase']}`);
    assert.equal(folded.data.address, '12 Marina Road');
  });

  for (const [name, make] of [
    ['rows.ndjson', (rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n')],
    ['rows.json', (rows: object[]) => JSON.stringify(rows, null, 2)],
    [
      'body.json',
      (rows: object[]) => JSON.stringify({ meta: { email: 'meta@x.org' }, customers: rows, count: 3 }),
    ],
    ['rows.csv.gz', (rows: object[]) => gzipSync(csv(rows))],
    ['rows.ndjson.gz', (rows: object[]) => gzipSync(rows.map((row) => JSON.stringify(row)).join('\r\n'))],
  ] as const) {
    void it(`called ${name} is imported`, async () => {
      const rows = goodRows(3);
      await writeFile(at(name), make(rows));
      const { code, output } = await run([name]);
      assert.equal(code, EXIT.all, output);
      const stem = name.split('.')[0];
      assert.deepEqual(
        cells(`${stem}.phrases.csv`).map(({ clientRef }) => clientRef),
        rows.map(({ clientRef }) => clientRef),
      );
      assert.equal(existsSync(at(`${stem}.failures.csv`)), false);
    });
  }

  void it('is imported from standard input', async () => {
    const { code, output } = await ended(start(['-']), csv(goodRows(3)));
    assert.equal(code, EXIT.all, output);
    assert.equal(cells('stdin.phrases.csv').length, 3);
  });

  void it('whose columns have unknown names is imported with --map', async () => {
    const [row] = goodRows(1);
    const renamed = { ...row, Vorname: row?.firstname, firstname: undefined };
    await writeFile(
      at('map.csv'),
      csv([renamed], ['Vorname', ...HEADER.filter((name) => name !== 'firstname')]),
    );
    const without = await run(['map.csv']);
    assert.equal(without.code, EXIT.fault);
    assert.match(
      without.output,
      /No column matches firstname\. The columns are: "Vorname",.*--map firstname=/,
    );
    const wrong = await run(['map.csv', '--map', 'firstname=Nachname']);
    assert.match(wrong.output, /there is no column "Nachname"/);
    assert.equal((await run(['map.csv', '--map', 'firstname=Vorname'])).code, EXIT.all);
  });

  void it('gets every failure from --dry-run, even if they do not fit into one response', async () => {
    const rows = goodRows(4_000).map(({ clientRef }) => ({ clientRef }));
    await writeFile(at('faults.csv'), csv(rows));
    const { code, output } = await run(['faults.csv', '--dry-run']);
    assert.equal(code, EXIT.none, output);
    const failures = cells('faults.dry-run.failures.csv');
    assert.deepEqual(
      failures.map((row) => row['clientRef']),
      rows.map((row) => row.clientRef),
    );
    for (const row of failures)
      assert.match(row['failure_reason'] ?? '', /^firstname is required.*reference is required/);
  });

  void it('is validated by --dry-run, and nothing is stored', async () => {
    await writeFile(at('dry.csv'), csv([...goodRows(3), { ...goodRows(1)[0], email: 'none' }]));
    const known = await total();
    const { code, output } = await run(['dry.csv', '--dry-run']);
    assert.equal(code, EXIT.some, output);
    assert.match(output, /4 rows: 3 would become customers, 1 failed/);
    assert.equal(cells('dry.dry-run.failures.csv').length, 1);
    assert.equal(await total(), known);
    assert.equal(existsSync(at('dry.dry-run.phrases.csv')), false);
  });
});

void describe('a failed row', { timeout: 120_000 }, () => {
  void it('is written with its reason, and is imported once it is fixed', async () => {
    const rows = goodRows(4).map((row, n) => ({
      ...row,
      note: `branch ${n}`,
      country: n === 1 ? 'Atlantis' : 'NG',
    }));
    const short = `${csv(rows, [...HEADER, 'note'])}one,two\n`;
    await writeFile(at('bank.csv'), short);
    assert.equal((await run(['bank.csv'])).code, EXIT.some);
    const failures = cells('bank.failures.csv');
    assert.equal(failures[0]?.['clientRef'], rows[1]?.clientRef);
    assert.equal(failures[0]?.['note'], 'branch 1');
    assert.equal(failures[0]?.['failure_code'], 'VALIDATION_ERROR');
    assert.match(failures[0]?.['failure_reason'] ?? '', /^country must be a country code/);
    const text = await readFile(at('bank.failures.csv'), 'utf8');
    assert.match(
      text,
      /^5,one,two,,,,,,,#UNREADABLE: no cell,UNREADABLE_ROW,has 2 cells where the header has 9/m,
    );
    const fixed = text.replace('Atlantis', 'NG').split('\n').slice(0, 2).join('\n');
    await writeFile(at('bank.failures.csv'), fixed);
    const { code, output } = await run(['bank.failures.csv']);
    assert.equal(code, EXIT.all, output);
    assert.equal(cells('bank.failures.phrases.csv')[0]?.['clientRef'], rows[1]?.clientRef);
  });

  void it('is harmless in a spreadsheet, and has its original values when it is imported again', async () => {
    const [row] = goodRows(1);
    const evil = {
      ...row,
      accountName: '=HYPERLINK("https://x.example","Ada")',
      phone: '+2348031234567',
      address: "'=kept",
      country: '',
    };
    await writeFile(at('evil.csv'), csv([evil], [...HEADER, 'phone', 'address']));
    assert.equal((await run(['evil.csv'])).code, EXIT.none);
    const [failure] = cells('evil.failures.csv');
    assert.equal(failure?.['accountName'], `'${evil.accountName}`);
    assert.equal(failure?.['phone'], `'${evil.phone}`);
    assert.equal(failure?.['address'], `'${evil.address}`);
    const text = await readFile(at('evil.failures.csv'), 'utf8');
    await writeFile(at('evil.failures.csv'), text.replace(',,', ',NG,'));
    assert.equal((await run(['evil.failures.csv'])).code, EXIT.all);
    const { body } = await get(`/v1/bank/customer?email=${row?.email}`);
    const { accountName, phone, address } = body.data;
    assert.deepEqual([accountName, phone, address], [evil.accountName, evil.phone, evil.address]);
  });
});

void describe('a file that can not be imported', { timeout: 60_000 }, () => {
  for (const [what, bytes, words] of [
    [
      'Latin-1',
      Buffer.from('clientRef,firstname\n1,Zo\xEB\n', 'latin1'),
      /not UTF-8 \(near byte 2\d\).*iconv -f WINDOWS-1252/,
    ],
    ['UTF-16', Buffer.from('\uFEFFclientRef,firstname\n', 'utf16le'), /is UTF-16.*iconv -f UTF-16/],
    [
      'a quotation mark that is never closed',
      Buffer.from(`${csv(goodRows(1))}"never,\n`),
      /quotation mark that is not closed/,
    ],
    ['half of a gzip', gzipSync(csv(goodRows(50))).subarray(0, 200), /is damaged/],
  ] as const) {
    void it(`(${what}) is refused with what to do, and nothing is stored`, async () => {
      await writeFile(at('bad.csv'), bytes);
      const known = await total();
      const { code, output } = await run(['bad.csv']);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, words);
      assert.doesNotMatch(output, /\n\s+at /, 'no stack');
      assert.equal(await total(), known);
    });
  }

  for (const [what, args, environment, words] of [
    ['no such file', ['none.csv'], {}, /There is no file none\.csv/],
    ['no URL', ['x.csv'], { PEERE_URL: '' }, /url must be|--url/],
    [
      'a URL where nothing listens',
      ['x.csv', '--url', 'http://localhost:1'],
      {},
      /Nothing accepts connections at http:\/\/localhost:1 \(ECONNREFUSED\)/,
    ],
    [
      'an unknown API key',
      ['x.csv', '--key', 'peere_test_nobody'],
      {},
      /does not accept the API key in --key.*errors#UNAUTHENTICATED/s,
    ],
    [
      'an unknown option',
      ['x.csv', '--dryrun'],
      {},
      /unknown option '--dryrun' \(Did you mean --dry-run\?\)/,
    ],
    ['a file name without a format', ['x.dat'], {}, /use --format/],
  ] as const) {
    void it(`(${what}) ends with exit code 3 and one sentence`, { timeout: 40_000 }, async () => {
      for (const name of ['x.csv', 'x.dat']) await writeFile(at(name), csv(goodRows(1)));
      const { code, output } = await run([...args], environment);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, words);
      assert.doesNotMatch(output, /\n\s+at /, 'no stack');
      assert.equal(output.includes(KEY), false);
    });
  }
});

void describe('the outputs of a finished import', { timeout: 120_000 }, () => {
  void it('are left alone by the same command, even if somebody has edited them', async () => {
    await writeFile(at('a.csv'), csv([...goodRows(2), { ...goodRows(1)[0], email: 'none' }]));
    assert.equal((await run(['a.csv'])).code, EXIT.some);
    const fixed = (await readFile(at('a.failures.csv'), 'utf8')).replace(
      'none',
      'a-longer-one@import.example.com',
    );
    await writeFile(at('a.failures.csv'), fixed);
    const again = await run(['a.csv']);
    assert.match(again.output, /imported already/);
    assert.equal(await readFile(at('a.failures.csv'), 'utf8'), fixed);
  });

  void it('are renamed, not overwritten, when another file of the same name is imported', async () => {
    await writeFile(at('b.csv'), csv(goodRows(2)));
    assert.equal((await run(['b.csv'])).code, EXIT.all);
    const first = await readFile(at('b.phrases.csv'), 'utf8');
    await writeFile(at('b.json'), JSON.stringify(goodRows(1)));
    assert.equal((await run(['b.json'])).code, EXIT.all);
    assert.equal(await readFile(at('b.phrases.1.csv'), 'utf8'), first);
    assert.equal(cells('b.phrases.csv').length, 1);
  });

  void it('report a row that was accepted and then erased', async () => {
    const rows = goodRows(3);
    await writeFile(at('e.csv'), csv(rows));
    assert.equal((await run(['e.csv'])).code, EXIT.all);
    const { body } = await get(`/v1/bank/customer?email=${rows[1]?.email}`);
    await fetch(`${serverUrl()}/v1/bank/customer?id=${body.data.id}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${KEY}` },
    });
    // As if the import had been interrupted just after its batch was accepted.
    const journal = await readFile(at('e.import.ndjson'), 'utf8');
    await writeFile(at('e.import.ndjson'), `${journal.split('\n').slice(0, 2).join('\n')}\n`);
    assert.equal((await run(['e.csv'])).code, EXIT.some);
    assert.equal(cells('e.phrases.csv').length, 2);
    assert.deepEqual(
      cells('e.failures.csv').map((row) => [row['clientRef'], row['failure_code']]),
      [[rows[1]?.clientRef, 'ERASED']],
    );
  });

  void it('name the line that is not JSON', async () => {
    await writeFile(at('l.ndjson'), `${JSON.stringify(goodRows(1)[0])}\n{"clientRef": oops}\n`);
    assert.equal((await run(['l.ndjson'])).code, EXIT.some);
    assert.equal(cells('l.failures.csv')[0]?.['failure_reason'], 'line 2 is not JSON: {"clientRef": oops}');
  });
});

function assertOnce(stem: string, sent: { clientRef: string }[], known: number, now: number): void {
  const found = cells(`${stem}.phrases.csv`);
  assert.deepEqual(
    found.map(({ clientRef }) => clientRef),
    sent.map(({ clientRef }) => clientRef),
    'every row once, in order',
  );
  assert.equal(new Set(found.map(({ id }) => id)).size, sent.length);
  assert.equal(now - known, sent.length, 'the service has each of them once');
}

void describe('an interrupted import', { timeout: 240_000 }, () => {
  void it('creates every customer exactly once, although it is killed again and again', async () => {
    const rows = goodRows(12_000);
    await writeFile(at('killed.csv'), csv(rows));
    const known = await total();
    const args = ['killed.csv', '--batch-rows', '1000', '--concurrency', '3'];
    for (const batches of [1, 4, 8]) {
      const child = start(args);
      await untilDone('killed.import.ndjson', batches);
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    const { code, output } = await run(args);
    assert.equal(code, EXIT.all, output);
    assert.match(output, /Continuing after \d+,000 rows/);
    assertOnce('killed', rows, known, await total());
    const again = await run(args);
    assert.equal(again.code, EXIT.all);
    assert.match(again.output, /imported already/);
    assert.equal((await total()) - known, rows.length);
  });

  void it('does not create a batch twice that was accepted but not yet recorded', async () => {
    const rows = goodRows(3_000);
    await writeFile(at('unwritten.csv'), csv(rows));
    const known = await total();
    const args = ['unwritten.csv', '--batch-rows', '1000', '--concurrency', '1'];
    const child = start(args);
    await untilDone('unwritten.import.ndjson', 1);
    child.kill('SIGKILL');
    await once(child, 'close');
    // As if the power had failed between the response and the line in the journal.
    const journal = await readFile(at('unwritten.import.ndjson'), 'utf8');
    const [beginning] = journal.split('\n');
    await writeFile(at('unwritten.import.ndjson'), `${beginning}\n{"accepted":0,"bat`);
    const { code, output } = await run(args);
    assert.equal(code, EXIT.all, output);
    assertOnce('unwritten', rows, known, await total());
  });

  void it('writes no row twice if it ended between its outputs and its journal', async () => {
    const rows = goodRows(3_000);
    await writeFile(at('between.csv'), csv(rows));
    const known = await total();
    const args = ['between.csv', '--batch-rows', '1000', '--concurrency', '1'];
    assert.equal((await run(args)).code, EXIT.all);
    // As if the power had failed when the last batch and half of another row were in the file but not in the journal.
    const lines = (await readFile(at('between.import.ndjson'), 'utf8')).trimEnd().split('\n');
    assert.match(lines.at(-2) ?? '', /"done":2/);
    await writeFile(at('between.import.ndjson'), `${lines.slice(0, -2).join('\n')}\n`);
    await appendFile(at('between.phrases.csv'), '3001,p');
    assert.equal((await run(args)).code, EXIT.all);
    assertOnce('between', rows, known, await total());
  });

  void it('by the daily limit of refused rows ends with 3 at once, says when to continue, and then does', async () => {
    const rows = goodRows(3_000);
    const sent = rows.map((row, n) => (n === 2_500 ? { ...row, email: 'nobody' } : row));
    await writeFile(at('limited.csv'), csv(sent));
    const known = await total();
    const args = ['limited.csv', '--batch-rows', '1000', '--concurrency', '2'];
    const setFailuresOfToday = (rowsOfDay: number) =>
      d1(
        { remote: false, persistTo: stateFolder() },
        'SHARD_1',
        // A day that can't end during this test.
        `UPDATE tenants SET failure_day = '9999-12-31', failure_day_count = ${rowsOfDay} WHERE bank_id = 'bnk_demo_lagos'`,
      );
    await setFailuresOfToday(1_000_000);
    const { code, output } = await run(args);
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /customers would exceed your bank's limit of 1000000 refused rows per UTC day \(rows of this batch that cannot become customers: 1\)/,
    );
    assert.match(output, /run the same command again after \d{4}-\d\d-\d\dT00:00:\d\d/);
    await setFailuresOfToday(0);
    assert.equal((await run(args)).code, EXIT.some);
    assertOnce('limited', rows.toSpliced(2_500, 1), known, await total());
    assert.deepEqual(
      cells('limited.failures.csv').map((row) => row['clientRef']),
      [rows[2_500]?.clientRef],
    );
  });

  void it('by Ctrl-C says how to continue, and does', async () => {
    const rows = goodRows(6_000);
    await writeFile(at('stopped.csv'), csv(rows));
    const known = await total();
    const args = ['stopped.csv', '--batch-rows', '1000', '--concurrency', '2'];
    const child = start(args);
    const end = ended(child);
    await untilDone('stopped.import.ndjson', 1);
    child.kill('SIGINT');
    const { code, output } = await end;
    assert.equal(code, EXIT.interrupted, output);
    assert.match(output, /run the same command again to continue/);
    assert.equal((await run(args)).code, EXIT.all);
    assertOnce('stopped', rows, known, await total());
  });

  void it('by Ctrl-C ends at once even while its input is still being written', async () => {
    const child = start(['-']);
    const end = ended(child, null);
    child.stdin?.write(csv(goodRows(1)));
    await sleep(1_500);
    child.kill('SIGINT');
    const { code, output } = await end;
    assert.equal(code, EXIT.interrupted, output);
    assert.match(output, /an import from standard input can’t be continued/);
  });

  void it('does not continue with the API key of another bank', async () => {
    await writeFile(at('bank.csv'), csv(goodRows(3_000)));
    const args = ['bank.csv', '--batch-rows', '1000', '--concurrency', '1'];
    const child = start(args);
    await untilDone('bank.import.ndjson', 1);
    child.kill('SIGKILL');
    await once(child, 'close');
    const { code, output } = await run(args, { PEERE_API_KEY: 'peere_test_accra_full' });
    assert.equal(code, EXIT.fault, output);
    assert.match(output, /begun with an API key of another bank/);
  });

  void it('by a fault in the last row sends nothing, and is complete once the fault is fixed', async () => {
    const rows = goodRows(2);
    await writeFile(at('late.csv'), `${csv(rows)}"never,\n`);
    const known = await total();
    assert.equal((await run(['late.csv'])).code, EXIT.fault);
    assert.equal(await total(), known);
    await writeFile(at('late.csv'), csv(rows));
    assert.equal((await run(['late.csv'])).code, EXIT.all);
    assertOnce('late', rows, known, await total());
  });

  void it('does not continue in another format, whose batches would have other rows', async () => {
    const rows = goodRows(3_000);
    const lines = rows.map((row) => `${JSON.stringify(row)},`).join('\n');
    await writeFile(at('format.json'), `[\n${lines.slice(0, -1)}\n]\n`);
    const known = await total();
    const args = ['format.json', '--batch-rows', '500', '--concurrency', '1'];
    const asLines = [...args, '--format', 'ndjson'];
    const child = start(asLines);
    await untilDone('format.import.ndjson', 2);
    child.kill('SIGKILL');
    await once(child, 'close');
    const other = await run(args);
    assert.equal(other.code, EXIT.fault, other.output);
    assert.match(other.output, /was begun as ndjson.* Use --format ndjson to continue/);
    // A journal without a format is from a version that took the one that the file name suggests.
    const journal = await readFile(at('format.import.ndjson'), 'utf8');
    await writeFile(at('format.import.ndjson'), journal.replace('"format":"ndjson",', ''));
    assert.match((await run(asLines)).output, /was begun as json/);
    await writeFile(at('format.import.ndjson'), journal);
    await run(asLines);
    // All lines but the last end with a comma and are not JSON.
    assert.equal(cells('format.phrases.csv').length, (await total()) - known);
    assert.deepEqual(
      [...cells('format.phrases.csv'), ...cells('format.failures.csv')]
        .map(({ row }) => Number(row))
        .toSorted((one, two) => one - two),
      Array.from({ length: rows.length + 2 }, (_, index) => index + 1),
    );
  });

  void it('does not continue with a file that has changed', async () => {
    const rows = goodRows(3_000);
    await writeFile(at('changed.csv'), csv(rows));
    const args = ['changed.csv', '--batch-rows', '1000', '--concurrency', '1'];
    const child = start(args);
    await untilDone('changed.import.ndjson', 1);
    const second = await run(args);
    assert.match(second.output, /being imported already, by process \d+/);
    child.kill('SIGKILL');
    await once(child, 'close');
    await writeFile(at('changed.csv'), csv(rows.toReversed()));
    const { code, output } = await run(args);
    assert.equal(code, EXIT.fault);
    assert.match(output, /has changed since its import began/);
  });
});

void describe('a million rows', { timeout: 600_000 }, () => {
  void it(`take at most ${MAX_MB} MB of memory`, { skip: !existsSync('/proc/self/status') }, async () => {
    const million = 1_000_000;
    const thousand = generateCustomers(1_000);
    const parts = function* () {
      for (let first = 0; first < million; first += thousand.length) {
        yield thousand.map((row, n) => ({
          ...row,
          clientRef: `m-${first + n}`,
          email: `m${first + n}@x.org`,
        }));
      }
    };
    await writeCsv(at('million.csv'), parts());
    // A dry run is the same work for the importer and a third of the work for the service.
    const child = start(['million.csv', '--dry-run']);
    const maxMemory = watchMemory(child.pid);
    const { code, output } = await ended(child);
    const megabytes = maxMemory() ?? Number.NaN;
    assert.equal(code, EXIT.some, output);
    assert.match(output, /1,000,000 rows: /);
    console.log(`a million rows took ${megabytes.toFixed(0)} MB`);
    assert.ok(megabytes > 0 && megabytes <= MAX_MB, `${megabytes.toFixed(0)} MB`);
  });
});
