/** Properties of cleaning and validating that hold for any rows in any mix. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateRows } from '../../src/batches/accept/validate.ts';
import { sentCustomer } from '../support/customers.ts';
import { Service } from '../support/service.ts';

const only = (changes: Record<string, unknown>) => validateRows([sentCustomer(0, changes)]);
const verdict = (changes: Record<string, unknown>) => only(changes).failures[0]?.code ?? 'valid';

describe('the first code that applies', () => {
  const required = [
    'clientRef',
    'firstname',
    'lastname',
    'accountName',
    'email',
    'country',
    'accountNumber',
    'reference',
  ];

  it.each(required)('%s absent, blank or of the wrong type is INVALID_DATA', (field) => {
    for (const value of [undefined, null, '', '  ', '\u200b', 7, {}, [], true]) {
      expect([value, verdict({ [field]: value })]).toEqual([value, 'INVALID_DATA']);
    }
  });

  it.each(required)('%s too long is VALIDATION_ERROR', (field) => {
    expect(verdict({ [field]: 'x'.repeat(501) })).toBe('VALIDATION_ERROR');
  });

  it.each(['middlename', 'address', 'gender', 'phone'])(
    '%s may be absent, and otherwise must be text',
    (field) => {
      for (const value of [undefined, null, '', '   ']) expect(verdict({ [field]: value })).toBe('valid');
      for (const value of [7, {}, [], false]) expect(verdict({ [field]: value })).toBe('VALIDATION_ERROR');
    },
  );

  it.each([
    ['email', ['nobody', 'a@b', '@x.com', 'a b@x.com', 'a@x..com', `${'a'.repeat(250)}@x.com`]],
    ['country', ['XX', 'NGA', 'N', '12', 'UK']],
    ['gender', ['F', 'unknown', 'females', 'fe male']],
    [
      'phone',
      ['12', 'call me', '+999999999999', '2.34803E+12', '#REF!', '0803 123 4567 ext 5', '+234 803 123 456'],
    ],
    ['firstname', ['a\u0000b', 'a\u202eb', 'a\u2066b', '\ud800', `a${'\u0301'.repeat(31)}`]],
  ])('%s in the wrong format is VALIDATION_ERROR', (field, values) => {
    for (const value of values)
      expect([value, verdict({ [field]: value })]).toEqual([value, 'VALIDATION_ERROR']);
  });

  it('a missing field outweighs an invalid one, and both are named', () => {
    const { failures } = only({ email: 'nobody', firstname: '', phone: '12' });
    expect(failures[0]?.code).toBe('INVALID_DATA');
    expect(failures[0]?.errors.map(({ field }) => field)).toEqual(['firstname', 'email', 'phone']);
  });

  it('a row is a duplicate of valid earlier rows only', () => {
    const rows = [
      sentCustomer(0, { firstname: '' }),
      sentCustomer(0),
      sentCustomer(1, { email: ' Adaobi.0@EXAMPLE.com' }),
      sentCustomer(2, { clientRef: ' ref-0 ' }),
      sentCustomer(2),
    ];
    expect(validateRows(rows).failures.map(({ index, code }) => [index, code])).toEqual([
      [0, 'INVALID_DATA'],
      [2, 'DUPLICATE_IN_BATCH'],
      [3, 'DUPLICATE_IN_BATCH'],
    ]);
  });
});

it('names may have joiners, combining marks and letters of any script', () => {
  for (const name of ['می‌خواهم', 'Ọlá', "O'Neil-Ṣọlá", '李小龍', 'क्‍ष', 'Ng\u0303ugi\u0303']) {
    expect([name, verdict({ firstname: name, accountName: name })]).toEqual([name, 'valid']);
  }
});

describe('the traces of an export are cleaned', () => {
  const stored = (field: string, value: unknown) => only({ [field]: value }).valid[0]?.row[field as 'gender'];

  it.each(['Male', 'MALE', ' male\u00a0', 'mAlE\n'])('gender %j becomes male', (value) => {
    expect(stored('gender', value)).toBe('male');
  });

  it.each([
    'firstname',
    'lastname',
    'middlename',
    'accountName',
    'address',
    'clientRef',
    'accountNumber',
    'reference',
  ])('line breaks and tabs in %s become one space', (field) => {
    expect(stored(field, '\t12 Marina\tRoad,\r\n Lagos\u2028NG\n')).toBe('12 Marina Road, Lagos NG');
  });

  it('an email with a line break inside is refused', () => {
    expect(verdict({ email: 'ada\n@example.com' })).toBe('VALIDATION_ERROR');
  });

  it('invisible characters are removed from a phone number', () => {
    expect(stored('phone', '\u202a+234\u00a0803 123 4567\u202c')).toBe('+2348031234567');
    expect(stored('phone', '\u200e0803\t1234567')).toBe('+2348031234567');
  });
});

it.each(['accountNumber', 'reference', 'clientRef', 'phone'])(
  '%s that a spreadsheet has damaged is refused, and the message says so',
  (field) => {
    for (const value of ['1.23457E+10', '1,23457E+11', '="0123456789"', '#REF!', '123456789.0', '########']) {
      const { failures } = only({ [field]: value });
      expect([value, failures[0]?.code, failures[0]?.errors]).toEqual([
        value,
        'VALIDATION_ERROR',
        [{ field, message: expect.stringContaining('a spreadsheet has changed; format its column as text') }],
      ]);
    }
  },
);

it('composed and decomposed accents are stored in the same form', () => {
  const stored = (name: string) => only({ firstname: name }).valid[0]?.row.firstname;
  expect(stored('Ade\u0301')).toBe(stored('Ad\u00e9'));
});

/** Rows that are valid, or invalid in any field, from a pool small enough that they collide. */
const anyRow = fc.oneof(
  { weight: 4, arbitrary: fc.nat(20).map((number) => sentCustomer(number)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(20), fc.constantFrom(...Object.keys(sentCustomer())), fc.anything())
      .map(([number, field, value]) => sentCustomer(number, { [field]: value })),
  },
  { weight: 1, arbitrary: fc.anything() },
);

it('every row ends up in exactly one list, in order, whatever it contains', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 60 }), (rows) => {
      const { valid, failures } = validateRows(rows);
      const indexes = [...valid, ...failures].map(({ index }) => index).toSorted((a, b) => a - b);
      expect(indexes).toEqual(rows.map((_, index) => index));
      for (const list of [valid, failures]) {
        expect(list.map(({ index }) => index)).toEqual(
          list.map(({ index }) => index).toSorted((a, b) => a - b),
        );
      }
      expect(new Set(valid.map(({ row }) => row.email)).size).toBe(valid.length);
      expect(new Set(valid.map(({ row }) => row.clientRef)).size).toBe(valid.length);
      for (const failure of failures) expect(failure.errors.length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});

it('cleaning a cleaned row changes nothing', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 20 }), (rows) => {
      const once = validateRows(rows).valid.map(({ row }) => row);
      expect(validateRows(once).valid.map(({ row }) => row)).toEqual(once);
    }),
    { numRuns: 200 },
  );
});

it('the counts of every report add up', async () => {
  const service = new Service();
  await service.createCustomers([sentCustomer(3), sentCustomer(5)]);
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 70 }), async (rows) => {
      const sendable = JSON.parse(
        JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? 0 : value)),
      );
      const { status, body } = await service.post(sendable);
      const { summary, failures, failuresInline, data } = body.data;
      expect(summary.total).toBe(rows.length);
      expect(summary.total).toBe(summary.successful + summary.failed);
      expect(summary.failed).toBe(summary.duplicates + summary.invalidData);
      expect([data.createdCount, data.customerIds.length]).toEqual([summary.successful, summary.successful]);
      expect(failuresInline).toBe(failures.length === summary.failed);
      expect(failures.length).toBe(Math.min(summary.failed, 50));
      expect(status === 201).toBe(summary.successful > 0);
      await service.deliverAll();
      const list = await service.get('/v1/bank/customers?limit=1');
      const rowsStored = await service.env.DB.prepare(
        `SELECT count(*) AS n FROM customers WHERE bank_id = 'bnk_lagos'`,
      ).first('n');
      expect(Number(list.headers.get('X-Total-Count'))).toBe(rowsStored);
    }),
    { numRuns: 40 },
  );
});
