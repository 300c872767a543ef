/** What the console tells somebody at a desk about a file: in words, without a command or a name in code. */
import { describe, expect, it } from 'vitest';
import { PeereError } from '../../packages/client/src/errors.ts';
import type { FailedRow } from '../../packages/cli/src/batches/outcome.ts';
import { NEW_CUSTOMER } from '../../packages/cli/src/reading/fields.ts';
import { readTable } from '../../packages/cli/src/reading/table.ts';
import { reduce, START } from '../../packages/console/src/import/import-state.ts';
import { ResultCollector } from '../../packages/console/src/import/result.ts';
import { inOwnWords, openFile, toInput } from '../../packages/console/src/import/source.ts';
import { toFault } from '../../packages/console/src/ui/errors.ts';
import { faultsInWords, labelOf } from '../../packages/console/src/ui/labels.ts';

const HEADER = 'Ref;Given name;Surname;Account holder;E-mail;Country;IBAN / Account';
const ROW = 'r-1;Ada;Test;Ada Test;a@example.com;NG;0123456781';

/** @returns what the console says about a file, or what it found in it */
async function open(name: string, content: string | number[]) {
  const file = new File([typeof content === 'string' ? content : new Uint8Array(content)], name);
  try {
    return await openFile(toInput(file, undefined));
  } catch (error) {
    return toFault(inOwnWords(error, name)).message;
  }
}

describe('a file that somebody chose', () => {
  for (const [what, name, content] of [
    ['a picture', 'card.png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ['a photograph', 'card.jpeg', [0xff, 0xd8, 0xff, 0xe0, 0, 0x10]],
    ['a PDF', 'customers.pdf', '%PDF-1.7\n%âãÏÓ'],
    ['a workbook', 'customers.xlsx', 'PK\x03\x04'],
    ['a workbook called .csv', 'customers.csv', 'PK\x03\x04'],
    ['a web page', 'customers.xls.csv', '<html><table>'],
    [
      'a table in Windows-1252',
      'customers.csv',
      Array.from(`${HEADER}\nJos\xe9`, (character) => character.charCodeAt(0)),
    ],
  ] as const) {
    it(`that is ${what} is refused by one sentence that says what it is and how to save it`, async () => {
      const said = await open(name, typeof content === 'string' ? content : [...content]);
      expect(said).toMatch(/^customers\.|^card\./);
      expect(said).toMatch(
        /^\S+ is [^:]+: save the table as “CSV UTF-8” in your spreadsheet, and choose that file\.$/,
      );
    });
  }

  it('with a header and nothing below is refused by a sentence that says so', async () => {
    expect(await open('customers.csv', `${HEADER}\n\n`)).toBe(
      'customers.csv has a header and no rows: export it again, with the customers.',
    );
  });

  it('is read as a table whatever its ending, its mark and its separator, and its only reference is both', async () => {
    const opened = await open('EXPORT.DAT', `\uFEFF${HEADER}\r\n${ROW}\r\n`);
    expect(opened).toMatchObject({ format: 'csv', headers: HEADER.split(';'), ambiguous: [] });
    const { recognised } = opened as Exclude<typeof opened, string>;
    expect(new Set(recognised.map(([field]) => field))).toEqual(new Set(NEW_CUSTOMER.required));
  });
});

describe('what is wrong with a file', () => {
  it('is said by labels, and by lines of the file with its header and blank lines', async () => {
    const text = `${HEADER}\n${ROW}\n\n${ROW.replace('a@example.com', 'none')}\n${ROW}\n`;
    const table = await readTable(
      {
        name: 'f',
        format: 'csv',
        text: async function* () {
          yield text;
        },
      },
      [],
    );
    const cells: string[][] = [];
    for await (const row of table.rows) cells.push(row.cells);
    const collector = new ResultCollector(table);
    const failed: FailedRow[] = [
      {
        row: 2,
        cells: cells[1] ?? [],
        code: 'VALIDATION_ERROR',
        reason: 'email must be an email address',
        fields: ['email'],
        isRepeat: false,
      },
      {
        row: 3,
        cells: cells[2] ?? [],
        code: 'DUPLICATE_IN_BATCH',
        reason: 'clientRef is the same as in row 2',
        fields: ['clientRef'],
        isRepeat: true,
      },
    ];
    collector.add({ created: [], createdCount: 1, failed });
    const { failures, groups, places } = collector.toResult(table.ignored);
    expect(places).toBe('Line');
    expect(failures).toEqual([
      {
        place: 4,
        reason: 'Email must be an email address',
        values: ['none'],
        clientRef: 'r-1',
        accountName: 'Ada Test',
      },
      {
        place: 5,
        reason: 'Customer reference is the same as in line 4',
        values: ['r-1'],
        clientRef: 'r-1',
        accountName: 'Ada Test',
      },
    ]);
    expect(groups.map(({ name }) => name)).toEqual(['Email', 'Repeats an earlier row']);
  });

  it('names no field as code does, whichever the field is', () => {
    for (const field of NEW_CUSTOMER.names) expect(labelOf(field)).toMatch(/^[A-Z][a-z]+( [a-z]+)*$/);
    expect(faultsInWords([{ field: 'accountNumber', message: 'is required' }])).toBe(
      'Account number is required',
    );
  });

  it('can be followed by the columns again, which are as they were', () => {
    const checked = { ...START, step: 'checked' as const };
    expect(reduce(checked, { type: 'back' })).toEqual({ ...checked, step: 'map' });
  });
});

describe('an API key that is not known', () => {
  it('is said to be so, without a word about headers', () => {
    const { message, docs } = toFault(
      new PeereError('UNAUTHENTICATED', 'Authentication required; Authorization is not a known API key', {
        docs: '/errors#UNAUTHENTICATED',
      }),
    );
    expect(message).toMatch(/^This API key is not known\. /);
    expect(`${message} ${docs}`).not.toMatch(/Authorization|UNAUTHENTICATED/);
  });
});

describe('a request that is refused for its values', () => {
  it('is explained by their labels, and not by names in code', () => {
    const errors = [{ field: 'update.displayPicture', message: 'must be a URL' }];
    const error = new PeereError(
      'INVALID_REQUEST',
      'Invalid customer data; update.displayPicture must be a URL',
      { errors },
    );
    expect(toFault(error).message).toBe('Picture must be a URL.');
  });
});
