/** `peere-import` and files as they are: changed meanwhile, damaged, repeated, from a spreadsheet. `npm run importer`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  at,
  cells,
  csv,
  ended,
  EXIT,
  goodRows,
  HEADER,
  preload,
  run,
  serverUrl,
  start,
  total,
  untilDone,
} from './importer.ts';

const verdict = (stem: string) =>
  existsSync(at(`${stem}.failures.csv`))
    ? cells(`${stem}.failures.csv`).map((row) => [Number(row['row']), row['failure_code']])
    : [];

void describe('a file that changes while it is imported', { timeout: 240_000 }, () => {
  /** Large enough that reading it is not over when its first batch is. */
  const many = () => goodRows(8_000).map((row) => ({ ...row, address: 'x'.repeat(400) }));
  const bytesOf = (rows: object[]) => csv(rows, [...HEADER, 'address']);

  for (const [how, name, write, change] of [
    ['is cut off', 'cut.csv', bytesOf, (path: string) => truncate(path, 2_000_000)],
    ['grows', 'grown.csv', bytesOf, (path: string) => appendFile(path, `${'x,'.repeat(8)}x\n`)],
    [
      'is written over',
      'over.csv',
      bytesOf,
      (path: string, rows: object[]) => writeFile(path, bytesOf(rows.toReversed())),
    ],
    [
      'is written over, and zipped',
      'zipped.csv.gz',
      (rows: object[]) => gzipSync(bytesOf(rows), { level: 0 }),
      (path: string, rows: object[]) => writeFile(path, gzipSync(bytesOf(rows.toReversed()), { level: 0 })),
    ],
  ] as const) {
    void it(`that ${how} ends the import, which brings every row of the old file once that is back`, async () => {
      const rows = many();
      const old = write(rows);
      await writeFile(at(name), old);
      const known = await total();
      const args = [name, '--batch-rows', '1000', '--concurrency', '2'];
      const [stem = ''] = name.split('.');
      const child = start(args);
      const end = ended(child);
      await untilDone(`${stem}.import.ndjson`, 1);
      child.kill('SIGSTOP');
      await change(at(name), rows);
      child.kill('SIGCONT');
      const { code, output } = await end;
      assert.equal(code, EXIT.fault, output);
      assert.match(output, new RegExp(`${name} has changed while it was imported`));
      const journal = await readFile(at(`${stem}.import.ndjson`), 'utf8');
      assert.doesNotMatch(journal, /finished/);
      const written = cells(`${stem}.phrases.csv`).map(({ clientRef }) => clientRef);
      assert.equal(written.length, (await total()) - known, 'what was sent is written down');
      assert.match((await run(args)).output, /has changed since its import began/);
      await writeFile(at(name), old);
      const again = await run(args);
      assert.equal(again.code, EXIT.all, again.output);
      assert.deepEqual(
        cells(`${stem}.phrases.csv`).map(({ clientRef }) => clientRef),
        rows.map(({ clientRef }) => clientRef),
      );
      assert.equal((await total()) - known, rows.length);
    });
  }
});

/** Environment whose program finds this file written over with another once so many pieces of it have been read. */
const writtenOver = (path: string, other: string, pieces: number) =>
  preload(`
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const open = fs.createReadStream;
    let pieces = 0;
    fs.createReadStream = (path, options) => {
      const stream = open(path, options);
      const read = stream._read;
      stream._read = function (size) {
        pieces += 1;
        if (pieces === ${pieces}) fs.copyFileSync(${JSON.stringify(other)}, ${JSON.stringify(path)});
        return read.call(this, size);
      };
      return stream;
    };
    syncBuiltinESMExports();`);

void describe('a file that changes while it is looked through', { timeout: 120_000 }, () => {
  void it('is refused before anything is sent, and goes in by the same command', async () => {
    const rows = goodRows(6_000).map((row) => ({ ...row, address: 'x'.repeat(400) }));
    const bytesOf = (some: object[]) => csv(some, [...HEADER, 'address']);
    // Two rows change places in what has been read, and two in what has not.
    const changed = [...rows];
    for (const [one, other] of [
      [2_000, 2_001],
      [5_500, 5_501],
    ] as const) {
      [changed[one], changed[other]] = [rows[other] ?? {}, rows[one] ?? {}] as [never, never];
    }
    await writeFile(at('torn.csv'), bytesOf(rows));
    await writeFile(at('other'), bytesOf(changed));
    assert.equal(bytesOf(rows).length, bytesOf(changed).length);
    const known = await total();
    const args = ['torn.csv', '--batch-rows', '500', '--concurrency', '1'];
    const { code, output } = await run(args, writtenOver(at('torn.csv'), at('other'), 25));
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /torn\.csv has changed while it was looked through, and nothing of the new text was sent/,
    );
    assert.equal(await total(), known);
    assert.equal((await run(args)).code, EXIT.all);
    assert.equal((await total()) - known, rows.length);
  });

  void it('and one that changes before its first batch is accepted, goes in as the new file', async () => {
    const rows = goodRows(100);
    await writeFile(at('early.csv'), csv(rows));
    await writeFile(at('other'), csv(rows.toReversed()));
    // It is read in two pieces each time, of which the second is its end.
    const { code, output } = await run(['early.csv'], writtenOver(at('early.csv'), at('other'), 3));
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /early\.csv has changed while it was imported\. Run the same command again: it begins with/,
    );
    assert.doesNotMatch(output, /What was sent/);
    assert.equal((await run(['early.csv'])).code, EXIT.all);
  });
});

void describe('a refused row', { timeout: 120_000 }, () => {
  void it('stays refused when the failures are imported as they are, and becomes a customer when it is fixed', async () => {
    const [ragged, first, second, third] = goodRows(4);
    const lines = [
      csv([]).trim(),
      `${HEADER.map((field) => Reflect.get(ragged ?? {}, field) as string).join(',')},surplus`,
      ...csv([{ ...first }, { ...second, clientRef: first?.clientRef }, { ...third, country: 'XX' }])
        .trim()
        .split('\n')
        .slice(1),
    ];
    await writeFile(at('stays.csv'), lines.join('\n'));
    const known = await total();
    assert.equal((await run(['stays.csv'])).code, EXIT.some);
    const wanted = [
      [1, 'UNREADABLE_ROW'],
      [3, 'DUPLICATE_IN_BATCH'],
      [4, 'VALIDATION_ERROR'],
    ];
    assert.deepEqual(verdict('stays'), wanted);
    assert.match(
      cells('stays.failures.csv')[1]?.['failure_reason'] ?? '',
      /clientRef is the same as in row 2$/,
    );
    const again = await run(['stays.failures.csv']);
    assert.equal(again.code, EXIT.none, again.output);
    assert.doesNotMatch(again.output, /Not sent/);
    assert.deepEqual(
      verdict('stays.failures'),
      wanted.map(([, code], index) => [index + 1, code]),
    );
    assert.equal(await total(), known + 1);
    const text = await readFile(at('stays.failures.failures.csv'), 'utf8');
    const fixed = text
      .replace(/#UNREADABLE[^,"]*,surplus/, ragged?.reference ?? '')
      .replace(`,${first?.clientRef},`, `,${second?.clientRef},`)
      .replace(',XX,', ',NG,');
    await writeFile(at('fixed.csv'), fixed.replace(/"(r-0)"/, '$1'));
    const { code, output } = await run(['fixed.csv']);
    assert.equal(code, EXIT.all, output);
    assert.equal(await total(), known + 4);
  });

  void it('with a number that JSON rounds becomes no customer by way of the failures', async () => {
    const [row] = goodRows(1);
    const line = JSON.stringify(row).replace('"0123456789"', '12345678901234567891');
    await writeFile(at('big.ndjson'), `${line}\n`);
    assert.equal((await run(['big.ndjson'])).code, EXIT.none);
    assert.equal((await run(['big.failures.csv'])).code, EXIT.none);
    const text = await readFile(at('big.failures.csv'), 'utf8');
    assert.match(text, /#UNREADABLE: 12345678901234567891/);
    await writeFile(at('big.failures.csv'), text.replace('#UNREADABLE: ', ''));
    assert.equal((await run(['big.failures.csv'])).code, EXIT.all);
  });

  void it('has its number in the file beside it, whatever its batch, and so has the row that it repeats', async () => {
    const rows = goodRows(7);
    const [, , , , first, , last] = rows;
    const lines = csv([...rows.slice(0, 6), { ...last, email: first?.email.toUpperCase() }]).split('\n');
    lines[2] = 'ragged';
    lines.splice(4, 0, ',,,,,,,', '   ');
    await writeFile(at('numbers.csv'), lines.join('\n'));
    const { code, output } = await run(['numbers.csv', '--batch-rows', '3']);
    assert.equal(code, EXIT.some, output);
    // Rows 4 to 6 are a batch, and row 7 is one: the service never sees the two together.
    assert.deepEqual(verdict('numbers'), [
      [2, 'UNREADABLE_ROW'],
      [7, 'EXISTING_CUSTOMER'],
    ]);
    await writeFile(at('together.csv'), lines.join('\n').replaceAll('@', '@together.'));
    assert.equal((await run(['together.csv', '--batch-rows', '10'])).code, EXIT.some);
    assert.deepEqual(cells('together.failures.csv').map((row) => [row['row'], row['failure_reason']])[1], [
      '7',
      'email is the same as in row 5',
    ]);
    assert.deepEqual(
      cells('together.phrases.csv').map(({ row }) => row),
      ['1', '3', '4', '5', '6'],
    );
  });
});

void describe('a dry run', { timeout: 120_000 }, () => {
  void it('gives the verdict of the import on emails that repeat across batches', async () => {
    const rows = goodRows(8);
    const email = (index: number) => rows[index]?.email ?? '';
    const [a, b] = [email(0), email(1)];
    const emails = [a, b, email(2), ` ${a.toUpperCase()}`, email(4), email(4), email(6), b];
    const sent = rows.map((row, index) => ({
      ...row,
      email: emails[index],
      country: index === 1 ? 'XX' : 'NG',
    }));
    await writeFile(at('dry.csv'), csv(sent));
    const args = ['dry.csv', '--batch-rows', '2'];
    const known = await total();
    const dry = await run([...args, '--dry-run']);
    assert.match(dry.output, /8 rows: 5 would become customers, 3 failed/);
    assert.match(
      cells('dry.dry-run.failures.csv')[1]?.['failure_reason'] ?? '',
      /email is the same as in row 1/,
    );
    // What a dry run refused does not go in by way of its failures either.
    assert.equal((await run(['dry.dry-run.failures.csv'])).code, EXIT.none);
    assert.equal(await total(), known);
    assert.equal((await run(args)).code, EXIT.some);
    assert.deepEqual(verdict('dry.dry-run'), verdict('dry'));
    assert.equal(await total(), known + 5);
  });
});

void describe('two rows with one email', { timeout: 60_000 }, () => {
  /** The real server, and in front of it somebody who writes down what it is asked. */
  async function listen(): Promise<{ url: string; asked: string[]; close: () => void }> {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      const { method, url = '/', headers } = request;
      asked.push(`${method} ${url}`);
      const onward = ask(serverUrl() + url, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    proxy.listen(0);
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    return { url: `http://localhost:${port}`, asked, close: () => proxy.close() };
  }

  void it('in two batches are not under way together, so that the first becomes the customer', async () => {
    const rows = goodRows(4);
    await writeFile(
      at('two.csv'),
      csv(rows.map((row, index) => ({ ...row, email: rows[index % 3]?.email }))),
    );
    const { url, asked, close } = await listen();
    const { code, output } = await run(['two.csv', '--batch-rows', '2', '--url', url]);
    close();
    assert.equal(code, EXIT.some, output);
    assert.deepEqual(verdict('two'), [[4, 'EXISTING_CUSTOMER']]);
    const settled = asked.findIndex((line) => /^GET .*\/batches\/\w+\/customers/.test(line));
    const secondSent = asked.findLastIndex((line) => line.startsWith('POST '));
    assert.ok(settled >= 0 && secondSent > settled, asked.join('\n'));
  });
});

void describe('keys of JSON', { timeout: 60_000 }, () => {
  for (const [name, write] of [
    ['keys.ndjson', (row: object) => JSON.stringify(row)],
    ['keys.json', (row: object) => JSON.stringify([row])],
  ] as const) {
    void it(`in ${name} are known by their aliases, and those of no field are named`, async () => {
      const [row] = goodRows(1);
      await writeFile(
        at(name),
        write({ ...row, phoneNumber: '+2348031234567', Address: '1 Marina', branch: 7 }),
      );
      const { code, output } = await run([name]);
      assert.equal(code, EXIT.all, output);
      assert.match(output, /^Not sent: branch$/m);
    });
  }

  void it('of no field, from standard input, are named when it is over', async () => {
    const [row] = goodRows(1);
    const { code, output } = await ended(
      start(['-', '--format', 'ndjson']),
      JSON.stringify({ ...row, branch: 7 }),
    );
    assert.equal(code, EXIT.all, output);
    assert.match(output, /^Not sent: branch$/m);
  });
});

void describe('a file that is no table of customers', { timeout: 120_000 }, () => {
  for (const [what, name, bytes, words] of [
    [
      'a workbook, called .csv',
      'book.csv',
      Buffer.from('PK\x03\x04\x14\0\x06\0', 'latin1'),
      /save it as "CSV UTF-8"/,
    ],
    [
      'an old workbook, zipped',
      'old.csv.gz',
      gzipSync(Buffer.from('D0CF11E0A1B11AE10000', 'hex')),
      /"CSV UTF-8"/,
    ],
    ['a workbook by its name', 'book.xlsx', Buffer.from('PK\x03\x04', 'latin1'), /save it as "CSV UTF-8"/],
    ['a web page', 'page.csv', Buffer.from('<html><table>'), /is a web page or XML.*"CSV UTF-8"/],
    [
      'UTF-16 without its mark',
      'wide.csv',
      Buffer.from('clientRef,firstname\n', 'utf16le'),
      /is UTF-16.*iconv/,
    ],
  ] as const) {
    void it(`(${what}) is refused, with a word on what to do`, async () => {
      await writeFile(at(name), bytes);
      const { code, output } = await run([name]);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, words);
    });
  }

  for (const [what, name, text] of [
    ['a header alone', 'header.csv', csv([])],
    ['an empty list', 'empty.json', '[]'],
  ] as const) {
    void it(`(${what}) ends with exit code 2, each time`, async () => {
      await writeFile(at(name), text);
      for (const args of [[name, '--dry-run'], [name], [name]]) {
        const { code, output } = await run(args);
        assert.equal(code, EXIT.none, output);
      }
    });
  }

  void it('in one row, for a NUL in it, has that row refused by number and column, and the others brought', async () => {
    const [one, other] = goodRows(2);
    await writeFile(at('nul.csv'), csv([{ ...one }, { ...other, firstname: 'Bo\0la' }]));
    assert.equal((await run(['nul.csv'])).code, EXIT.some);
    const [failure] = cells('nul.failures.csv');
    assert.equal(failure?.['row'], '2');
    assert.match(failure['failure_reason'] ?? '', /NUL character in column 2, "firstname"/);
  });

  void it('(a list of 26 MB on one line) has its line refused', async () => {
    const [row] = goodRows(1);
    await writeFile(at('line.ndjson'), `[${Array(100_000).fill(JSON.stringify(row)).join(',')}]`);
    const child = start(['line.ndjson']);
    const end = ended(child);
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, EXIT.none, (await end).output);
    assert.match(
      cells('line.failures.csv')[0]?.['failure_reason'] ?? '',
      /^line 1 is longer than 1,000,000 characters/,
    );
  });
});
