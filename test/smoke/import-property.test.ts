/**
 * For any file, each row becomes either a customer or a failure with its row number and reason, or the whole file is
 * refused with what to do. Random files are generated with their expected outcome and imported into a real server: first
 * as a dry run, which must predict the import; then for real; then the failures of both, unchanged, none of which may
 * become a customer. `npm run importer`; IMPORT_FILES=200 generates more files.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { CommandError } from '../../packages/cli/src/reading/errors.ts';
import { importFile } from '../../packages/cli/src/import/importer.ts';
import { at, cells, get, HEADER, KEY, serverUrl, total } from './importer.ts';

const FILES = Number(process.env['IMPORT_FILES'] ?? 25);

const rowKind = fc.constantFrom(
  ...([
    'good',
    'good',
    'good',
    'invalid',
    'same email',
    'same clientRef',
    'short',
    'long',
    'nul',
    'blank',
  ] as const),
);
/** Values that are easily damaged on the way. */
const name = fc.constantFrom(
  'Ada Eze',
  'Zoë "Zo" Eze',
  'Ade\u0301bayo',
  'Eze, Ada; Ltd|x',
  '=1+1',
  "'=x",
  ' Eze ',
  '"',
);
const note = fc.constantFrom('', 'a\r\nb', 'a\nb', '"', ' ', 'a,b;c|d\te', '""');
const file = fc.record({
  rows: fc.array(fc.record({ kind: rowKind, of: fc.nat(20), name, note }), { maxLength: 12 }),
  format: fc.constantFrom('csv', 'csv', 'csv', 'ndjson', 'json', 'body'),
  encoding: fc.constantFrom(
    'plain',
    'plain',
    'plain',
    'mark',
    'mark',
    'latin1',
    'utf16',
    'workbook',
    'cut off',
  ),
  zipped: fc.boolean(),
  batchRows: fc.integer({ min: 1, max: 5 }),
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnds: fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 1, maxLength: 4 }),
  headers: fc.constantFrom(HEADER, [
    'Client Ref',
    'First Name',
    'Surname',
    'account_name',
    'E-Mail',
    'Country Code',
    'Account No.',
    'REF',
  ]),
  quotesAll: fc.boolean(),
  sepLine: fc.boolean(),
  trailing: fc.boolean(),
});
type File = typeof file extends fc.Arbitrary<infer Value> ? Value : never;

interface MadeRow {
  kind: File['rows'][number]['kind'];
  values: string[];
  note: string;
}

const isReadable = (kind: MadeRow['kind']) => !['short', 'long', 'nul'].includes(kind);

/** @param domain of the emails, which no other file uses */
function makeRows({ rows }: File, domain: string): MadeRow[] {
  const made: MadeRow[] = [];
  for (const [number, { kind, of, name: accountName, note: text }] of rows.entries()) {
    const earlier = made[of % Math.max(made.length, 1)]?.values ?? [];
    const email = `p${number}@${domain}`;
    made.push({
      kind,
      note: text,
      values: [
        kind === 'same clientRef' ? (earlier[0] ?? 'c-x') : `c-${number}`,
        kind === 'nul' ? 'A\0da' : 'Ada',
        'Eze',
        accountName,
        kind === 'same email' ? ` ${earlier[4] ?? email}`.toUpperCase() : email,
        kind === 'invalid' ? 'XX' : 'NG',
        '0123456789',
        `r-${number}`,
      ],
    });
  }
  return made;
}

/** Numbers of the rows that must become customers: a second implementation of the contract's rules. */
function customersOf(rows: MadeRow[], batchRows: number): number[] {
  const emails = new Set<string>();
  let batch = new Set<string>();
  return rows.flatMap(({ kind, values: [clientRef = '', , , , email = ''] }, index) => {
    if (index % batchRows === 0) batch = new Set();
    const folded = email.trim().toLowerCase();
    if (!isReadable(kind) || kind === 'invalid' || batch.has(clientRef) || batch.has(folded)) return [];
    batch.add(clientRef).add(folded);
    if (emails.has(folded)) return [];
    emails.add(folded);
    return [index + 1];
  });
}

function writeCsv(spec: File, rows: MadeRow[]): string {
  const { delimiter, lineEnds, quotesAll, sepLine, trailing } = spec;
  const cell = (text: string) =>
    quotesAll || /["\r\n,;|\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const line = (texts: string[]) => texts.map(cell).join(delimiter) + (trailing ? delimiter : '');
  const body = rows.map(({ kind, values, note: text }) => {
    if (kind === 'blank') return delimiter.repeat(values.length);
    if (kind === 'short') return line(values.slice(0, -1));
    // As after an address whose comma is not quoted: the last cell may be blank, and those before it are shifted.
    const surplus = kind === 'long' ? ['surplus'] : [];
    return line([...values.slice(0, 3), ...surplus, ...values.slice(3), text]);
  });
  return [...(sepLine ? [`sep=${delimiter}`] : []), line([...spec.headers, 'note']), ...body]
    .map((text, number) => text + lineEnds[number % lineEnds.length])
    .join('');
}

function writeJson({ format, headers }: File, rows: MadeRow[]): string {
  const values = rows.map(({ kind, values: texts, note: text }) => {
    const members = headers.map((header, position) => [header, texts[position]]);
    const value = JSON.stringify({ ...(Object.fromEntries(members) as object), note: text });
    // The counterpart of a ragged row in CSV is a value that is not text.
    if (kind === 'short') return value.replace('"0123456789"', '12345678901234567891');
    return kind === 'long' ? value.replace('"0123456789"', '{"iban":["0123456789"]}') : value;
  });
  if (format === 'ndjson') return values.map((value) => `${value}\n\n`).join('');
  return format === 'json'
    ? `[${values.join(',\n')}]`
    : `{"a":[{}],"customers":[${values.join(',')}],"z":"]"}`;
}

const isRefused = ({ encoding }: File) => ['latin1', 'utf16', 'workbook', 'cut off'].includes(encoding);

function encode({ encoding, format, zipped }: File, text: string): Buffer {
  const plain = () => {
    switch (encoding) {
      case 'mark':
        return Buffer.from(`\uFEFF${text}`);
      case 'latin1':
        return Buffer.from(`${text}"Zoë"`, 'latin1');
      case 'utf16':
        return Buffer.from(`\uFEFF${text}`, 'utf16le');
      case 'workbook':
        return Buffer.concat([Buffer.from('PK\x03\x04\0\0', 'latin1'), Buffer.from(text)]);
      case 'cut off':
        // NDJSON that is cut off between two rows can only be recognised if it is zipped.
        return Buffer.from(format === 'csv' ? `${text}"c-9` : text.slice(0, -1));
      case 'plain':
        return Buffer.from(text);
    }
  };
  if (encoding === 'cut off' && format === 'ndjson') return gzipSync(text).subarray(0, -9);
  return zipped ? gzipSync(plain()) : plain();
}

/** Calls the importer as the command line does. */
function run(path: string, dryRun: boolean, batchRows: number) {
  const options = {
    path,
    url: serverUrl(),
    key: KEY,
    format: undefined,
    map: [],
    concurrency: 3,
    batchRows,
    dryRun,
  };
  const logged: string[] = [];
  const stderr = { isTTY: false, write: () => true } as unknown as NodeJS.WriteStream;
  const terminal = { stdin: process.stdin, stderr, log: (line: string) => logged.push(line) };
  return importFile(options, terminal, new AbortController().signal);
}

/** Outputs have the separator of their input. */
const rowsOf = (path: string, { format, delimiter }: File) =>
  existsSync(at(path)) ? cells(path, format === 'csv' ? delimiter : ',') : [];
const numbersOf = (rows: Record<string, string>[]) => rows.map((row) => Number(row['row']));
const outcomesOf = (stem: string, spec: File) =>
  rowsOf(`${stem}.failures.csv`, spec).map((row) => [row['row'], row['failure_code']]);

async function assertNothingIsAccepted(failures: string, spec: File): Promise<void> {
  if (!existsSync(at(failures))) return;
  const count = rowsOf(failures, spec).length;
  const { created, failed } = await run(at(failures), false, 100);
  assert.deepEqual({ created, failed }, { created: 0, failed: count }, 'refused rows stay refused');
}

async function assertImported(spec: File, path: string, stem: string, rows: MadeRow[]): Promise<void> {
  const customers = customersOf(rows, spec.batchRows);
  const numbers = rows.map((_, index) => index + 1);
  const dry = await run(path, true, spec.batchRows);
  assert.equal(dry.created, customers.length, 'the dry run counts the customers');
  await assertNothingIsAccepted(`${stem}.dry-run.failures.csv`, spec);
  const { created, failed } = await run(path, false, spec.batchRows);
  assert.deepEqual(
    { created, failed },
    { created: customers.length, failed: rows.length - customers.length },
  );
  const phrases = rowsOf(`${stem}.phrases.csv`, spec);
  const failures = rowsOf(`${stem}.failures.csv`, spec);
  assert.deepEqual(numbersOf(phrases), customers);
  assert.deepEqual(
    numbersOf(failures),
    numbers.filter((number) => !customers.includes(number)),
  );
  assert.deepEqual(
    outcomesOf(`${stem}.dry-run`, spec),
    outcomesOf(stem, spec),
    'the dry run predicts the import',
  );
  for (const { failure_reason: reason } of failures) assert.match(reason ?? '', /\w/);
  for (const { row, phrase } of phrases) {
    const { body } = await get(`/v1/bank/customer?phrase=${phrase}`);
    const sent = rows[Number(row) - 1]?.values[3] ?? '';
    assert.equal(body.data.accountName, sent.trim().normalize('NFC'), 'as it is in the file');
  }
  await assertNothingIsAccepted(`${stem}.failures.csv`, spec);
}

void it('any file is imported row by row or refused as a whole', { timeout: FILES * 30_000 }, async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(file, async (spec) => {
      number += 1;
      const stem = `f${number}`;
      const made = makeRows(spec, `${stem}.property.example.com`);
      const isCsv = spec.format === 'csv';
      const rows = made.filter(({ kind }) => kind !== 'blank');
      const text = isCsv ? writeCsv(spec, made) : writeJson(spec, rows);
      const bytes = encode(spec, text);
      const ending = spec.format === 'body' ? 'json' : spec.format;
      const isZipped = bytes[0] === 0x1f;
      const path = at(`${stem}.${ending}${isZipped ? '.gz' : ''}`);
      await writeFile(path, bytes);
      if (!isRefused(spec)) return assertImported(spec, path, stem, rows);
      const known = await total();
      for (const dryRun of [true, false]) {
        await assert.rejects(run(path, dryRun, spec.batchRows), (error) => {
          assert.ok(error instanceof CommandError, String(error));
          assert.match(
            error.message,
            new RegExp(`^${stem}\\..*\\. .*`, 's'),
            'says which file, and what to do',
          );
          return true;
        });
      }
      assert.equal(await total(), known);
    }),
    // Shrinking would take an import per attempt; twelve rows are few enough to read.
    { numRuns: FILES, endOnFailure: true },
  );
});
