/** Cleaning and validation of rows, with properties that hold for any rows in any mix. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowValidator } from '../../src/batches/accept/validate.ts';
import { sentCustomer } from '../support/customers.ts';
import { countRows } from '../support/database.ts';
import { Service } from '../support/service.ts';

const validateOne = (changes: Record<string, unknown>) => new RowValidator().add([sentCustomer(0, changes)]);
const codeFor = (changes: Record<string, unknown>) => validateOne(changes).failures[0]?.code ?? 'valid';

describe('the code of a row', () => {
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

  it.each(required)('is INVALID_DATA if %s is absent, blank or of the wrong type', (field) => {
    for (const value of [undefined, null, '', '  ', '\u200b', 7, {}, [], true]) {
      expect([value, codeFor({ [field]: value })]).toEqual([value, 'INVALID_DATA']);
    }
  });

  it.each(required)('is VALIDATION_ERROR if %s is too long', (field) => {
    expect(codeFor({ [field]: 'x'.repeat(501) })).toBe('VALIDATION_ERROR');
  });

  it.each(['middlename', 'address', 'gender', 'phone'])(
    'is none if %s is absent, and VALIDATION_ERROR if it is not text',
    (field) => {
      for (const value of [undefined, null, '', '   ']) expect(codeFor({ [field]: value })).toBe('valid');
      for (const value of [7, {}, [], false]) expect(codeFor({ [field]: value })).toBe('VALIDATION_ERROR');
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
  ])('is VALIDATION_ERROR if %s is in the wrong format', (field, values) => {
    for (const value of values)
      expect([value, codeFor({ [field]: value })]).toEqual([value, 'VALIDATION_ERROR']);
  });

  it('is INVALID_DATA if one field is missing and another invalid, and both are named', () => {
    const { failures } = validateOne({ email: 'nobody', firstname: '', phone: '12' });
    expect(failures[0]?.code).toBe('INVALID_DATA');
    expect(failures[0]?.errors.map(({ field }) => field)).toEqual(['firstname', 'email', 'phone']);
  });

  it('is DUPLICATE_IN_BATCH for a duplicate of an earlier row only if that one is valid', () => {
    const rows = [
      sentCustomer(0, { firstname: '' }),
      sentCustomer(0),
      sentCustomer(1, { email: ' Adaobi.0@EXAMPLE.com' }),
      sentCustomer(2, { clientRef: ' ref-0 ' }),
      sentCustomer(2),
    ];
    expect(new RowValidator().add(rows).failures.map(({ index, code }) => [index, code])).toEqual([
      [0, 'INVALID_DATA'],
      [2, 'DUPLICATE_IN_BATCH'],
      [3, 'DUPLICATE_IN_BATCH'],
    ]);
  });
});

it('accepts joiners, combining marks and letters of any script in names', () => {
  for (const name of ['می‌خواهم', 'Ọlá', "O'Neil-Ṣọlá", '李小龍', 'क्‍ष', 'Ng\u0303ugi\u0303']) {
    expect([name, codeFor({ firstname: name, accountName: name })]).toEqual([name, 'valid']);
  }
});

describe('cleaning the traces of an export', () => {
  const stored = (field: string, value: unknown) =>
    validateOne({ [field]: value }).valid[0]?.row[field as 'gender'];

  it.each(['Male', 'MALE', ' male\u00a0', 'mAlE\n'])('turns the gender %j into male', (value) => {
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
  ])('turns line breaks and tabs in %s into one space', (field) => {
    expect(stored(field, '\t12 Marina\tRoad,\r\n Lagos\u2028NG\n')).toBe('12 Marina Road, Lagos NG');
  });

  it('does not remove a line break within an email, which is refused', () => {
    expect(codeFor({ email: 'ada\n@example.com' })).toBe('VALIDATION_ERROR');
  });

  it('removes invisible characters from a phone number', () => {
    expect(stored('phone', '\u202a+234\u00a0803 123 4567\u202c')).toBe('+2348031234567');
    expect(stored('phone', '\u200e0803\t1234567')).toBe('+2348031234567');
  });
});

it.each(['accountNumber', 'reference', 'clientRef', 'phone'])(
  'refuses %s if a spreadsheet has damaged it, and says so',
  (field) => {
    for (const value of ['1.23457E+10', '1,23457E+11', '="0123456789"', '#REF!', '123456789.0', '########']) {
      const { failures } = validateOne({ [field]: value });
      expect([value, failures[0]?.code, failures[0]?.errors]).toEqual([
        value,
        'VALIDATION_ERROR',
        [{ field, message: expect.stringContaining('a spreadsheet has changed; format its column as text') }],
      ]);
    }
  },
);

it('stores composed and decomposed accents in the same form', () => {
  const stored = (name: string) => validateOne({ firstname: name }).valid[0]?.row.firstname;
  expect(stored('Ade\u0301')).toBe(stored('Ad\u00e9'));
});

/** Rows that are valid, or invalid in any field, from a pool so small that they collide. */
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

it('puts every row into exactly one of its two lists, in order, whatever the row contains', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 60 }), (rows) => {
      const { valid, failures } = new RowValidator().add(rows);
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

it('does not change a row that is cleaned already', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 20 }), (rows) => {
      const once = new RowValidator().add(rows).valid.map(({ row }) => row);
      expect(new RowValidator().add(once).valid.map(({ row }) => row)).toEqual(once);
    }),
    { numRuns: 200 },
  );
});

it('reports counts that add up, for any batch', async () => {
  const service = new Service();
  await service.createCustomers([sentCustomer(3), sentCustomer(5)]);
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 70 }), async (rows) => {
      const sendable = JSON.parse(
        JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? 0 : value)),
      );
      const { status, body } = await service.post(sendable);
      const { summary, failures, failuresInline, data } = body.data;
      const { successful, failed, duplicates, invalidData } = summary;
      expect(summary).toEqual({
        total: rows.length,
        successful: rows.length - failed,
        failed: duplicates + invalidData,
        duplicates,
        invalidData,
      });
      expect({ createdCount: data.createdCount, customerIds: data.customerIds.length }).toEqual({
        createdCount: successful,
        customerIds: successful,
      });
      expect(failures).toHaveLength(Math.min(failed, 50));
      expect({ failed, failuresInline }).toEqual({ failed, failuresInline: failures.length === failed });
      expect({ successful, accepted: status === 201 }).toEqual({ successful, accepted: successful > 0 });
      await service.deliverAll();
      const list = await service.get('/v1/bank/customers?limit=1');
      const stored = await countRows('customers', `bank_id = 'bnk_lagos'`);
      expect(list.headers.get('X-Total-Count')).toBe(String(stored));
    }),
    { numRuns: 40 },
  );
});
