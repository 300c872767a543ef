/**
 * How the importer reads text: CSV, NDJSON and JSON, in pieces of any size. It runs in workerd without Node's APIs, as it
 * could in a browser.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandError } from '../../packages/cli/src/reading/errors.ts';
import { mapColumns, recogniseColumns } from '../../packages/cli/src/reading/fields.ts';
import { openCsv } from '../../packages/cli/src/reading/csv.ts';
import { EmailRows, hashEmail } from '../../packages/cli/src/reading/emails.ts';
import { hashText } from '../../packages/cli/src/reading/hash.ts';
import type { Format, Row } from '../../packages/cli/src/reading/row.ts';
import { MAX_ROW_CHARACTERS } from '../../packages/cli/src/reading/row.ts';
import { readTable } from '../../packages/cli/src/reading/table.ts';

const HEADERS = [
  'clientRef',
  'firstname',
  'lastname',
  'accountName',
  'email',
  'country',
  'accountNumber',
  'reference',
];
const HEADER = HEADERS.join(',');
const ROW = 'c-1,Ada,Test,Ada Test,a@example.com,NG,0123456781,r-1';
const CUSTOMER = Object.fromEntries(HEADERS.map((header, at) => [header, ROW.split(',')[at]]));

/** @param size of each piece, in characters */
async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function readAs(format: Format, text: string, { map = [] as string[], size = 64 * 1_024 } = {}) {
  const input = { name: 'file', format, text: () => inPieces(text, size) };
  const table = await readTable(input, map);
  const rows: Row[] = [];
  for await (const row of table.rows) rows.push(row);
  return { headers: table.headers, ignored: [...table.ignored], rows };
}

const readCsv = (text: string, options?: { map?: string[]; size?: number }) => readAs('csv', text, options);
const accepted = ({ rows }: { rows: Row[] }) => rows.flatMap(({ customer }) => customer ?? []);
const reasons = ({ rows }: { rows: Row[] }) => rows.map(({ fault }) => fault?.reason);

/** Writes the failures of one import as the file that the next one reads. */
function failuresFile({ headers, rows }: { headers: string[]; rows: Row[] }): string {
  const failed = rows.flatMap(({ cells, fault }, at) =>
    fault === undefined ? [] : [[String(at + 1), ...cells, fault.code, fault.reason, '']],
  );
  const all = [['row', ...headers, 'failure_code', 'failure_reason', 'failure_check'], ...failed];
  return all.map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\n');
}

describe('CSV', () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', 'é', '😀', '"', '""', ',', ';', '\n', '\r', '\r\n', ' '),
    maxLength: 6,
  });

  it('is read as it was written, whatever its cells, separator, line endings and pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 8 }),
        fc.constantFrom(',', ';', '\t', '|'),
        fc.infiniteStream(fc.constantFrom('\n', '\r\n', '\r')),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (rows, delimiter, lineEnds, endsWithLine, size) => {
          const written = rows.map((cells) =>
            cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(delimiter),
          );
          const lines = [['one', 'two'].join(delimiter), ...written];
          const text = lines.map((line, at) => {
            const isLast = at === lines.length - 1;
            return line + (isLast && !endsWithLine ? '' : (lineEnds.next().value ?? '\n'));
          });
          const { records } = await openCsv('file', inPieces(text.join(''), size));
          const read: string[][] = [];
          for await (const record of records) read.push(record);
          expect(read).toEqual(rows.filter((cells) => cells.some((one) => one.trim() !== '')));
        },
      ),
      { numRuns: 300 },
    );
  });

  for (const [what, text] of [
    ['CRLF after the header and LF after the rows', `${HEADER}\r\n${ROW}\n${ROW}\n`],
    [
      'LF after the header and CRLF after the rows',
      `${HEADER}\n${ROW}\r\n"${ROW.split(',').join('","')}"\r\n`,
    ],
    ['CR alone, as old Macs wrote', `${HEADER}\r${ROW}\r${ROW}\r`],
    ['CR CR LF, as two conversions write', `${HEADER}\r\r\n${ROW}\r\r\n${ROW}\r\r\n`],
    [
      'a sep= line',
      `sep=;\r\n${HEADER.replaceAll(',', ';')}\r\n${ROW.replaceAll(',', ';')}\r\n${ROW.replaceAll(',', ';')}`,
    ],
    [
      'a quoted sep= line',
      `"sep=|"\n${HEADER.replaceAll(',', '|')}\n${ROW.replaceAll(',', '|')}\n${ROW.replaceAll(',', '|')}`,
    ],
    ['blank rows, with and without separators', `\n${HEADER}\n,,,,,,,\n${ROW}\n   \n\n${ROW}\n"","",,,,,,\n`],
    ['a separator at the end of every line', `${HEADER},\n${ROW},\n${ROW},\n`],
    [
      'quotation marks in its header',
      `"clientRef","firstname",${HEADERS.slice(2).join(',')}\n${ROW}\n${ROW}`,
    ],
  ] as const) {
    it(`with ${what} has the same two rows, and no column is reported as ignored`, async () => {
      for (const size of [1, 7, 1_000]) {
        const read = await readCsv(text, { size });
        expect(accepted(read)).toEqual([CUSTOMER, CUSTOMER]);
        expect(read.ignored).toEqual([]);
      }
    });
  }

  it('refuses a row with too many cells even if the last is blank, because the others may be shifted', async () => {
    const read = await readCsv(`${HEADER},address\n${ROW.replace('Ada Test', 'Ada, Test')},\n`);
    expect(reasons(read)[0]).toMatch(/^has 10 cells where the header has 9/);
  });

  it('refuses a row that has a value after the last header', async () => {
    const read = await readCsv(`${HEADER},\n${ROW},r-2\n`);
    expect(reasons(read)[0]).toMatch(/^has a value in column 9, which has no header/);
  });

  it('names the column that has a NUL character', async () => {
    const read = await readCsv(`${HEADER}\n${ROW}\n${ROW.replace('Ada', 'A\0da')}\n`);
    expect(reasons(read)).toEqual([undefined, 'has a NUL character in column 2, "firstname"']);
    await expect(readCsv(`${HEADER.replace('email', 'e\0mail')}\n${ROW}`)).rejects.toThrow(
      /header, in column 5/,
    );
  });

  it('reports an ignored column that has no name by its number', async () => {
    expect((await readCsv(`,${HEADER},Branch\n0,${ROW},Ikeja\n`)).ignored).toEqual([
      'column 1, which has no name',
      'Branch',
    ]);
  });

  for (const [what, line, words] of [
    ['is never closed', `"${ROW}\n`, /in row 2 \(line 4\): a quotation mark is not closed/],
    [
      'stands inside a cell',
      `${ROW.replace('Ada', 'A"da')}\n`,
      /in row 2 \(line 4\): cell 2 has a quotation mark inside/,
    ],
    [
      'is not doubled',
      `${ROW.replace('Ada', '"A"da"')}\n`,
      /in row 2 \(line 4\): cell 2 continues after its closing/,
    ],
  ] as const) {
    it(`in which a quotation mark ${what} is refused, and the row is named`, async () => {
      for (const size of [1, 1_000]) {
        await expect(readCsv(`${HEADER}\n${ROW}\n,,\n${line}`, { size })).rejects.toThrow(words);
      }
    });
  }

  it('with an endless line is refused in bounded memory, and the row is named', async () => {
    const endless = async function* (start: string) {
      yield start;
      for (let piece = 0; piece < 1_000; piece += 1) {
        if (piece * 65_536 > 2 * MAX_ROW_CHARACTERS) throw new Error('it is still being read');
        yield 'x'.repeat(65_536);
      }
    };
    await expect(openCsv('file', endless(''))).rejects.toThrow(/in its header: it is longer than 1,000,000/);
    const { records } = await openCsv('file', endless(`${HEADER}\n${ROW}\n`));
    await records.next();
    await expect(records.next()).rejects.toThrow(
      /in row 2 \(line 3\): it is longer than 1,000,000 characters/,
    );
  });
});

describe('--map', () => {
  it('prefers the column with exactly this name to a similar one', () => {
    const headers = [...HEADERS.filter((name) => name !== 'accountNumber'), 'Account', 'Account #'];
    for (const name of ['Account', 'Account #']) {
      const { columns } = mapColumns(headers, [`accountNumber=${name}`]);
      expect(columns.get('accountNumber')).toBe(headers.indexOf(name));
    }
  });

  it('refuses a name that matches two columns, and names both', () => {
    const headers = [...HEADERS, 'Account', 'Account #'];
    expect(() => mapColumns(headers, ['accountNumber=account'])).toThrow('"Account", "Account #"');
    expect(() => mapColumns([...HEADERS, 'A', 'A'], ['accountNumber=A'])).toThrow(
      'two columns have this name, 9 and 10',
    );
    expect(() => mapColumns(headers, ['email=email', 'email=Account'])).toThrow('email is mapped already');
  });

  it('finds an accent however it is written, and nothing by punctuation alone', () => {
    const headers = [...HEADERS.filter((name) => name !== 'firstname'), 'Pre\u0301nom', 'Prenom', '', '#'];
    const { columns } = mapColumns(headers, ['firstname=Pr\u00E9nom']);
    expect(columns.get('firstname')).toBe(headers.indexOf('Pre\u0301nom'));
    expect(() => mapColumns(headers, ['firstname=§'])).toThrow('there is no column "§"');
  });
});

describe('NDJSON and JSON', () => {
  const formats = [
    ['ndjson', (values: string[]) => values.join('\n')],
    ['json', (values: string[]) => `[${values.join(',')}]`],
    ['json', (values: string[]) => `{"meta":{"x":["]}\\""]},"customers":[${values.join(' , ')}],"count":2}`],
  ] as const;

  it('have the aliases of CSV, and report the keys that are not sent', async () => {
    const { accountName, ...rest } = CUSTOMER;
    const value = JSON.stringify({
      ...rest,
      'Full Name': accountName,
      Address: '1 Marina',
      branch: { id: 1 },
    });
    for (const [format, write] of formats) {
      for (const size of [1, 13, 10_000]) {
        const read = await readAs(format, write([value, value]), { size });
        const customer = { ...CUSTOMER, address: '1 Marina' };
        expect(accepted(read)).toEqual([customer, customer]);
        expect(read.ignored).toEqual(['branch']);
      }
    }
  });

  it('prefer the name of a field to an alias, and refuse two aliases of one field', async () => {
    const own = JSON.stringify({ customerId: '7', ...CUSTOMER });
    const two = JSON.stringify({ ...CUSTOMER, mobile: '0803', telephone: '0804' });
    const read = await readAs('ndjson', `${own}\n${two}`);
    expect(accepted(read)).toEqual([CUSTOMER]);
    expect(read.ignored).toEqual(['customerId']);
    expect(reasons(read)[1]).toBe('has phone twice, as "mobile" and as "telephone"');
  });

  for (const [what, value, words] of [
    ['a number that is rounded', '12345678901234567891', /accountNumber is a number/],
    ['a number', '123456781', /accountNumber is a number/],
    ['true', 'true', /accountNumber is true/],
    ['a list', '["0123456781"]', /accountNumber is a list/],
    ['an object', '{"iban":"0123456781"}', /accountNumber is an object/],
    ['half of a character', '"\\ud800123"', undefined],
  ] as const) {
    it(`refuse a value that is ${what}, also when the failures are imported unchanged`, async () => {
      const line = JSON.stringify(CUSTOMER).replace('"0123456781"', value);
      for (const [format, write] of formats) {
        const read = await readAs(format, write([line]));
        if (words !== undefined) expect(reasons(read)[0]).toMatch(words);
        const rows = read.rows.map((row) => ({
          ...row,
          fault: { code: 'UNREADABLE_ROW', reason: 'x' } as const,
        }));
        const again = await readCsv(failuresFile({ ...read, rows }));
        expect(accepted(again)).toEqual([]);
        expect(again.rows).toHaveLength(1);
      }
    });
  }

  for (const [what, members, reason, shown] of [
    ['two aliases of a field', '"mail":"a@x.org","E-mail":"b@x.org"', 'email', '"a@x.org" or "b@x.org"'],
    [
      'three aliases of a field',
      '"mail":"a@x.org","E-mail":"b@x.org","Email Address":"c"',
      'email',
      '"a@x.org" or "b@x.org" or "c"',
    ],
    [
      'two aliases, one with a number',
      '"mail":12345678901234567891,"E-mail":"b"',
      'email',
      '12345678901234567891 or "b"',
    ],
    ['a key twice', '"email":"a@x.org" , "email" : "b@x.org"', 'email', '"a@x.org" or "b@x.org"'],
    ['a key twice, once escaped', '"\\u0065mail":"a","email":"b"', 'email', '"a" or "b"'],
    ['a key twice, nothing the second time', '"email":"a","email":null', 'email', '"a" or null'],
    ['an alias twice', '"mail":"a","mail":"b"', 'mail', '"a" or "b"'],
    [
      'a key twice, first with a number',
      '"email":12345678901234567891,"email":"b:{"',
      'email',
      '12345678901234567891 or "b:{"',
    ],
  ] as const) {
    it(`refuse a row that has ${what} and show each value, until the row is changed`, async () => {
      const { email: _, ...rest } = CUSTOMER;
      const line = `{${members},${JSON.stringify({ x: [{ a: 1, b: ':' }], ...rest }).slice(1)}`;
      for (const [format, write] of formats) {
        const read = await readAs(format, write([line]));
        expect(accepted(read)).toEqual([]);
        expect(reasons(read)[0]).toContain(reason);
        expect(read.rows[0]?.cells).toContain(`#UNREADABLE: ${shown}`);
        const file = failuresFile(read);
        expect(accepted(await readCsv(file))).toEqual([]);
        const fixed = file.replace(/#UNREADABLE: .*?(?=",")/, 'a@example.com');
        expect(accepted(await readCsv(fixed))).toEqual([CUSTOMER]);
      }
    });
  }

  it('take the value of a field by its own name, whatever aliases surround it', async () => {
    const line = `{"mail":"1","E-mail":"2",${JSON.stringify(CUSTOMER).slice(1, -1)},"email address":"3"}`;
    expect(accepted(await readAs('ndjson', line))).toEqual([CUSTOMER]);
  });

  it('accept a repeated key if it belongs to no field, or is inside a value that is not sent', async () => {
    const line = `{"branch":{"id":1,"id":2},"x":1,"x":2,${JSON.stringify(CUSTOMER).slice(1)}`;
    expect(accepted(await readAs('ndjson', line))).toEqual([CUSTOMER]);
  });

  it('find a repeated key in a row of the maximum length', async () => {
    const line = (value: string) =>
      JSON.stringify({ address: value, ...CUSTOMER }).replace('{', '{"email":"a",');
    for (const value of [':"'.repeat(200_000), '\\'.repeat(400_000), 'x'.repeat(900_000)]) {
      expect(reasons(await readAs('ndjson', line(value)))[0]).toContain('has the key "email" twice');
    }
  });

  it('keep a number in the failures as it was written', async () => {
    const line = JSON.stringify({ x: { accountNumber: 1 }, ...CUSTOMER }).replace(
      '"0123456781"',
      '12345678901234567891',
    );
    const { rows } = await readAs('ndjson', line);
    expect(rows[0]?.cells).toContain('#UNREADABLE: 12345678901234567891');
  });

  it('name the row or line that is not JSON', async () => {
    const good = JSON.stringify(CUSTOMER);
    expect(reasons(await readAs('ndjson', `${good}\n\n{"clientRef": oops}\n3\n${good}`))).toEqual([
      undefined,
      'line 3 is not JSON: {"clientRef": oops}',
      'is not an object: 3',
      undefined,
    ]);
    for (const [text, words] of [
      [`[${good}, {"clientRef": oops}]`, /near row 2: a value is not well-formed/],
      [`[${good}, ${good}`, /near row 3: it ends in the middle/],
      [`[${good} ${good}]`, /near row 2: "," is missing before "{"/],
      [`${good}\n${good}`, /use --format ndjson/],
      ['{"rows": []}', /has no list called customers/],
      [' ', /is empty/],
    ] as const) {
      for (const size of [1, 1_000]) await expect(readAs('json', text, { size })).rejects.toThrow(words);
    }
  });

  /** A text of many pieces that never ends its value. */
  async function* huge(start: string, pieces: number): AsyncGenerator<string> {
    yield start;
    for (let piece = 0; piece < pieces; piece += 1) yield 'x'.repeat(65_536);
  }

  it('refuse a line or a value of any size in bounded memory', async () => {
    const good = JSON.stringify(CUSTOMER);
    const line = { name: 'file', format: 'ndjson', text: () => huge(`${good}\n["`, 2_000) } as const;
    const rows: Row[] = [];
    for await (const row of (await readTable(line, [])).rows) rows.push(row);
    expect(rows).toHaveLength(2);
    expect(rows[1]?.fault?.reason).toMatch(
      /^line 2 is longer than 1,000,000 characters: \["xxx.*--format json/,
    );
    expect(JSON.stringify(rows[1]).length).toBeLessThan(2_000);
    const value = { name: 'file', format: 'json', text: () => huge(`[${good},{"a":"`, 2_000) } as const;
    const read = async () => {
      for await (const _ of (await readTable(value, [])).rows);
    };
    await expect(read()).rejects.toThrow(/near row 2: a value is longer than 1,000,000 characters/);
    await expect(read()).rejects.toBeInstanceOf(CommandError);
  });
});

describe('a file of failures', () => {
  it('keeps a ragged row refused until its cells are fixed', async () => {
    const ragged = [`${ROW},surplus`, ROW.replace('Test,', ''), 'one', ROW.replace('Ada Test', 'Ada, Test')];
    let read = await readCsv(`${HEADER}\n${ragged.join('\n')}\n`);
    const firstReasons = reasons(read);
    expect(accepted(read)).toEqual([]);
    for (let round = 0; round < 3; round += 1) {
      read = await readCsv(failuresFile(read));
      expect(read.rows).toHaveLength(ragged.length);
      expect(accepted(read)).toEqual([]);
      expect(read.headers).toEqual(HEADERS);
      expect(reasons(read)).toEqual(firstReasons);
    }
    // As a spreadsheet saves it: every row as wide as the widest.
    const padded = failuresFile(read).replaceAll(/(?=\n|$)/g, ',""');
    expect(accepted(await readCsv(padded))).toEqual([]);
    const fixed = failuresFile(read).replace(/#UNREADABLE[^"]*/, 'r-1');
    expect(accepted(await readCsv(fixed))).toEqual([CUSTOMER]);
  });

  it('keeps columns of the user whose names are those of the importer’s columns', async () => {
    const file = `row,${HEADER},failure_code\n${`7,${ROW},mine`.replace('Ada Test', '')},\n`;
    const first = await readCsv(file);
    const [, again] = [first, await readCsv(failuresFile(first))];
    expect(again.headers).toEqual(['row', ...HEADERS, 'failure_code']);
    expect(again.ignored).toEqual(['row', 'failure_code']);
    expect(again.rows[0]?.cells[0]).toBe('7');
    expect(reasons(again)).toEqual(reasons(first));
  });

  it('has the whole of a line that is not JSON, so that it can be fixed there', async () => {
    const line = `{"clientRef": oops, "address": "${'x'.repeat(5_000)}"}`;
    const read = await readAs('ndjson', `${line}\n"${line.replaceAll('"', "'")}"`);
    expect(read.rows.map(({ cells }) => cells[0])).toEqual([
      `#UNREADABLE: ${line}`,
      `#UNREADABLE: "${line.replaceAll('"', "'")}"`,
    ]);
  });

  it('keeps its rows refused if it has become ragged itself', async () => {
    const file = failuresFile(await readCsv(`${HEADER}\none\n`)).replace('"one"', '"one","two"');
    const again = await readCsv(failuresFile(await readCsv(file)));
    expect(again.rows).toHaveLength(1);
    expect(accepted(again)).toEqual([]);
  });
});

describe('emails', () => {
  it('have the same hash in any case, with surrounding spaces, and however accents are written', () => {
    const one = hashEmail('ze\u0301@example.com');
    expect(hashEmail(' ZÉ@Example.com\n')).toBe(one);
    expect(hashEmail('ze@example.com')).not.toBe(one);
  });

  it('of 300,000 customers have different hashes', () => {
    const hashes = new Set<number>();
    for (let number = 0; number < 300_000; number += 1) hashes.add(hashText(`p${number}@x.example.com`));
    expect(hashes.size).toBe(300_000);
  });

  it('are found with the row that had them first, also when the table has grown', () => {
    const rows = new EmailRows(10);
    for (let row = 1; row <= 5_000; row += 1) expect(rows.claim(hashText(`${row}`), row)).toBeUndefined();
    for (let row = 1; row <= 5_000; row += 1) expect(rows.claim(hashText(`${row}`), 9_999)).toBe(row);
  });
});

describe('the columns of a bank’s export', () => {
  /** Headers as banks write them, and the field that each is. */
  const EXPORTS: Record<string, Record<string, string>> = {
    'with abbreviations': {
      'A/C No': 'accountNumber',
      'A/C Name': 'accountName',
      'Cust. No.': 'clientRef',
      'F. Name': 'firstname',
      L_Name: 'lastname',
      'E-Mail ID': 'email',
      Ctry: 'country',
      'Ref. No.': 'reference',
      Tel: 'phone',
    },
    'with words': {
      'IBAN / Account': 'accountNumber',
      'Account holder': 'accountName',
      'Given name': 'firstname',
      Surname: 'lastname',
      'Other names': 'middlename',
      'E-mail address': 'email',
      'Country code': 'country',
      'Customer Ref': 'clientRef',
      'Our reference': 'reference',
      Mobile: 'phone',
      'Residential address': 'address',
      Sex: 'gender',
    },
    'with a prefix': {
      CUSTOMER_ID: 'clientRef',
      CUSTOMER_FIRST_NAME: 'firstname',
      CUSTOMER_LAST_NAME: 'lastname',
      CUSTOMER_NAME: 'accountName',
      CUSTOMER_EMAIL: 'email',
      CUSTOMER_COUNTRY: 'country',
      CUSTOMER_ACCT_NUMBER: 'accountNumber',
      BANK_REF: 'reference',
      PRIMARY_PHONE: 'phone',
    },
    'with remarks in brackets': {
      'CIF Number (unique)': 'clientRef',
      'Forename(s)': 'firstname',
      'Family name': 'lastname',
      'Holder name': 'accountName',
      'Email Addr': 'email',
      'Country (ISO)': 'country',
      'Acct Number [NUBAN]': 'accountNumber',
      'Internal ref': 'reference',
      'Gender (M/F)': 'gender',
      'GSM No': 'phone',
      'Address line 1': 'address',
    },
  };
  for (const [what, fields] of Object.entries(EXPORTS)) {
    it(`are recognised ${what}`, () => {
      const headers = ['Branch', ...Object.keys(fields), 'Opened on'];
      const { columns, ambiguous } = recogniseColumns(headers);
      const found = [...columns].map(([field, position]) => [headers[position], field]);
      expect(Object.fromEntries(found)).toEqual(fields);
      expect(ambiguous.size).toBe(0);
    });
  }

  it('are never guessed: two that could be one field are both left to whoever imports the file', () => {
    const { columns, ambiguous } = recogniseColumns([...HEADERS, 'Mobile', 'Telephone', 'E-mail']);
    expect([...ambiguous]).toEqual([
      ['email', [4, 10]],
      ['phone', [8, 9]],
    ]);
    expect(columns.has('email') || columns.has('phone')).toBe(false);
    expect(() => mapColumns([...HEADERS, 'Mobile', 'Telephone'], [])).toThrow(
      'Two columns match phone: "Mobile" and "Telephone". Choose one with --map phone="Telephone"',
    );
  });

  it('with a vague name are a field only if no other column is', () => {
    const vague = ['Name', 'Account'];
    expect(recogniseColumns(vague).columns).toEqual(
      new Map([
        ['accountName', 0],
        ['accountNumber', 1],
      ]),
    );
    const { columns, unused } = mapColumns([...vague, ...HEADERS], []);
    expect(columns.get('accountName')).toBe(5);
    expect(unused).toEqual([0, 1]);
  });

  for (const header of ['Ref', 'Reference', 'Customer ID']) {
    it(`let the only reference, ${header}, be both that a customer needs, and say so`, async () => {
      const others = HEADERS.filter((name) => name !== 'clientRef' && name !== 'reference');
      const cells = others.map((name) => CUSTOMER[name]);
      const text = `${[header, ...others].join()}\n${['r-1', ...cells].join()}\n`;
      expect(accepted(await readCsv(text))).toEqual([{ ...CUSTOMER, clientRef: 'r-1' }]);
      const { shared } = await readTable({ name: 'file', format: 'csv', text: () => inPieces(text, 99) }, []);
      expect(shared.map(({ header: name, fields }) => [name, fields.toSorted()])).toEqual([
        [header, ['clientRef', 'reference']],
      ]);
    });
  }

  it('let one be two fields if the command line says so, and two references be one each', () => {
    const both = mapColumns(['No', ...HEADERS.slice(1, -1)], ['clientRef=No', 'reference=No']);
    expect([both.columns.get('clientRef'), both.columns.get('reference')]).toEqual([0, 0]);
    const { columns } = mapColumns(HEADERS, []);
    expect([columns.get('clientRef'), columns.get('reference')]).toEqual([0, 7]);
  });
});

describe('the values of a bank’s export', () => {
  it.each([
    ['Nigeria', 'NG'],
    ['ghana ', 'GH'],
    ['The Gambia', 'GM'],
    ['Cote d’Ivoire', 'CI'],
    ['CÔTE D’IVOIRE', 'CI'],
    ['USA', 'US'],
    ['ng', 'ng'],
    ['Atlantis', 'Atlantis'],
  ])('have the code of a country that is named: %s', async (name, code) => {
    const { rows } = await readAs('csv', `${HEADER}\n${ROW.replace('NG', name)}`);
    expect(rows[0]?.customer).toEqual({ ...CUSTOMER, country: code });
    // The cell stays as it is, for the file of failures.
    expect(rows[0]?.cells[5]).toBe(name);
  });

  it.each([
    ['M', 'male'],
    ['f', 'female'],
    ['Other', 'Other'],
  ])('have the gender that a letter stands for: %s', async (letter, gender) => {
    const { rows } = await readAs('csv', `${HEADER},gender\n${ROW},${letter}`);
    expect(rows[0]?.customer).toEqual({ ...CUSTOMER, gender });
  });
});
