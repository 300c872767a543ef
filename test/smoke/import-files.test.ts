/** `peere-import` with files that change, are damaged, repeat rows, or come from a spreadsheet. `npm run importer`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { createServer, request as sendRequest } from 'node:http';
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
  /** Large enough that the file is still being read when its first batch is done. */
  const many = () => goodRows(8_000).map((row) => ({ ...row, address: 'x'.repeat(400) }));
  const bytesOf = (rows: object[]) => csv(rows, [...HEADER, 'address']);

  for (const [how, name, write, change] of [
    ['is truncated', 'cut.csv', bytesOf, (path: string) => truncate(path, 2_000_000)],
    ['grows', 'grown.csv', bytesOf, (path: string) => appendFile(path, `${'x,'.repeat(8)}x\n`)],
    [
      'is overwritten',
      'over.csv',
      bytesOf,
      (path: string, rows: object[]) => writeFile(path, bytesOf(rows.toReversed())),
    ],
    [
      'is overwritten, and is zipped',
      'zipped.csv.gz',
      (rows: object[]) => gzipSync(bytesOf(rows), { level: 0 }),
      (path: string, rows: object[]) => writeFile(path, gzipSync(bytesOf(rows.toReversed()), { level: 0 })),
    ],
  ] as const) {
    void it(`that ${how} ends the import, which completes once the old file is back`, async () => {
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
      assert.match(output, new RegExp(`${name} has changed while it was read`));
      const journal = await readFile(at(`${stem}.import.ndjson`), 'utf8');
      assert.doesNotMatch(journal, /finished/);
      const written = cells(`${stem}.phrases.csv`).map(({ clientRef }) => clientRef);
      assert.equal(written.length, (await total()) - known, 'the outcome of what was sent is in the outputs');
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

/** @returns environment in which a file is overwritten with another after so many reads of it */
const overwriteAfter = (path: string, other: string, pieces: number) =>
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

void describe('a file that changes while it is checked', { timeout: 120_000 }, () => {
  void it('is refused before anything is sent, and is imported by the same command', async () => {
    const rows = goodRows(6_000).map((row) => ({ ...row, address: 'x'.repeat(400) }));
    const bytesOf = (some: object[]) => csv(some, [...HEADER, 'address']);
    // Two rows swap places in the part that has been read, and two in the part that has not.
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
    const { code, output } = await run(args, overwriteAfter(at('torn.csv'), at('other'), 25));
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /torn\.csv has changed while it was being checked, and nothing of the new text was sent/,
    );
    assert.equal(await total(), known);
    assert.equal((await run(args)).code, EXIT.all);
    assert.equal((await total()) - known, rows.length);
  });

  void it('is imported as the new file if it changes before its first batch is accepted', async () => {
    const rows = goodRows(100);
    await writeFile(at('early.csv'), csv(rows));
    await writeFile(at('other'), csv(rows.toReversed()));
    // Each pass reads the file in two pieces, the second of which is its end.
    const { code, output } = await run(['early.csv'], overwriteAfter(at('early.csv'), at('other'), 3));
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /early\.csv has changed while it was read\. Run the same command again: it begins with/,
    );
    assert.doesNotMatch(output, /What was sent/);
    assert.equal((await run(['early.csv'])).code, EXIT.all);
  });
});

void describe('a refused row', { timeout: 120_000 }, () => {
  void it('stays refused when the failures are imported unchanged, and becomes a customer when it is fixed', async () => {
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

  void it('with a number that JSON would round does not become a customer when the failures are imported', async () => {
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

  void it('is reported with its row number in the file, whatever its batch, and so is the row that it repeats', async () => {
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
  void it('finds the emails that repeat across batches, as the import does', async () => {
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
    // The failures of a dry run are not accepted unchanged either.
    assert.equal((await run(['dry.dry-run.failures.csv'])).code, EXIT.none);
    assert.equal(await total(), known);
    assert.equal((await run(args)).code, EXIT.some);
    assert.deepEqual(verdict('dry.dry-run'), verdict('dry'));
    assert.equal(await total(), known + 5);
  });
});

void describe('two rows with one email', { timeout: 60_000 }, () => {
  /** A proxy in front of the real server that records the requests. */
  async function listen(): Promise<{ url: string; requests: string[]; close: () => void }> {
    const requests: string[] = [];
    const proxy = createServer((request, response) => {
      const { method, url = '/', headers } = request;
      requests.push(`${method} ${url}`);
      const forwarded = sendRequest(serverUrl() + url, { method, headers }, (upstream) => {
        response.writeHead(upstream.statusCode ?? 502, upstream.headers);
        upstream.pipe(response);
      });
      request.pipe(forwarded);
    });
    proxy.listen(0);
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    return { url: `http://localhost:${port}`, requests, close: () => proxy.close() };
  }

  void it('in two batches are not sent at the same time, so that the first becomes the customer', async () => {
    const rows = goodRows(4);
    await writeFile(
      at('two.csv'),
      csv(rows.map((row, index) => ({ ...row, email: rows[index % 3]?.email }))),
    );
    const { url, requests, close } = await listen();
    const { code, output } = await run(['two.csv', '--batch-rows', '2', '--url', url]);
    close();
    assert.equal(code, EXIT.some, output);
    assert.deepEqual(verdict('two'), [[4, 'EXISTING_CUSTOMER']]);
    const firstDone = requests.findIndex((line) => /^GET .*\/batches\/\w+\/customers/.test(line));
    const secondSent = requests.findLastIndex((line) => line.startsWith('POST '));
    assert.ok(firstDone >= 0 && secondSent > firstDone, requests.join('\n'));
  });
});

void describe('keys of JSON', { timeout: 60_000 }, () => {
  for (const [name, write] of [
    ['keys.ndjson', (row: object) => JSON.stringify(row)],
    ['keys.json', (row: object) => JSON.stringify([row])],
  ] as const) {
    void it(`in ${name} are recognised by their aliases, and unknown ones are reported`, async () => {
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

  void it('that are unknown are reported at the end if they come from standard input', async () => {
    const [row] = goodRows(1);
    const { code, output } = await ended(
      start(['-', '--format', 'ndjson']),
      JSON.stringify({ ...row, branch: 7 }),
    );
    assert.equal(code, EXIT.all, output);
    assert.match(output, /^Not sent: branch$/m);
  });
});

void describe('a file that is not a table of customers', { timeout: 120_000 }, () => {
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
    void it(`(${what}) is refused with what to do`, async () => {
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

  void it('because of a NUL in one row has that row refused by number and column, and the others imported', async () => {
    const [one, other] = goodRows(2);
    await writeFile(at('nul.csv'), csv([{ ...one }, { ...other, firstname: 'Bo\0la' }]));
    assert.equal((await run(['nul.csv'])).code, EXIT.some);
    const [failure] = cells('nul.failures.csv');
    assert.equal(failure?.['row'], '2');
    assert.match(failure['failure_reason'] ?? '', /NUL character in column 2, "firstname"/);
  });

  void it('(a list of 26 MB on one line) has that line refused', async () => {
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
