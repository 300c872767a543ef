/** Holds fields.ts to the stored formats, the database and the views that it describes. */
import { env } from 'cloudflare:workers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STAGED_FIELDS } from '../../src/batches/staged-customer.ts';
import { customers } from '../../src/customers/customers.table.ts';
import { toView, type CustomerRecord } from '../../src/customers/customers.view.ts';
import {
  BATCH_RULES,
  EXTENDED_FIELDS,
  FAILURE_LETTERS,
  FIELDS,
  SEALED_FIELDS,
  STANDARD_FIELDS,
  UPDATE_RULES,
} from '../../src/customers/fields.ts';
import { SEALED_VALUE } from '../../src/customers/sealed-fields.ts';
import { sentCustomer } from '../support/customers.ts';

const placesOf = (kind: 'standard' | 'extended' | 'staged') =>
  Object.values<Partial<Record<string, unknown>>>(FIELDS)
    .flatMap((field) => (typeof field[kind] === 'number' ? field[kind] : []))
    .toSorted((one, other) => one - other);
const countedFromOne = (length: number) => Array.from({ length }, (_, index) => index + 1);

describe('a stored format', () => {
  it('keeps the places of staged fields, because chunks of the previous version are still to be applied', () => {
    expect(STAGED_FIELDS.slice(0, 14)).toEqual([
      'index',
      'id',
      'phrase',
      'clientRef',
      'email',
      'accountName',
      'firstname',
      'lastname',
      'middlename',
      'country',
      'address',
      'gender',
      'phone',
      'sealedFields',
    ]);
    expect(SEALED_FIELDS).toEqual(['accountNumber', 'reference']);
    expect(placesOf('staged')).toEqual(countedFromOne(STAGED_FIELDS.length - 1 + SEALED_FIELDS.length));
  });

  it('keeps the letters of fields in failures, and gives none to two fields', () => {
    expect(FAILURE_LETTERS).toMatchObject({
      clientRef: 'C',
      firstname: 'F',
      lastname: 'L',
      middlename: 'M',
      accountName: 'A',
      email: 'E',
      country: 'N',
      address: 'D',
      gender: 'G',
      phone: 'P',
      accountNumber: 'B',
      reference: 'R',
    });
    // X stands for the row as a whole.
    const letters = ['X', ...Object.values(FAILURE_LETTERS)];
    expect(new Set(letters).size).toBe(letters.length);
    for (const letter of letters) expect(letter).toMatch(/^[A-Z]$/);
  });
});

describe('a view', () => {
  const valueOf = (name: string) => (name === 'createdAt' ? 0 : name);
  const record = Object.fromEntries(
    Object.keys(FIELDS).map((name) => [name, valueOf(name)]),
  ) as unknown as CustomerRecord;

  it.each([
    { access: 'Standard', isExtended: false, names: STANDARD_FIELDS },
    { access: 'Extended', isExtended: true, names: [...STANDARD_FIELDS, ...EXTENDED_FIELDS] },
  ])('shows $access access each field that fields.ts names, in its order, and no other', (row) => {
    const shown = row.names.map((name) => [name, name === 'createdAt' ? '1970-01-01T00:00:00.000Z' : name]);
    expect(Object.entries(toView(record, row.isExtended))).toEqual(shown);
  });

  it('has one place for each of its fields, and no field is in both', () => {
    expect(placesOf('standard')).toEqual(countedFromOne(STANDARD_FIELDS.length));
    expect(placesOf('extended')).toEqual(countedFromOne(EXTENDED_FIELDS.length));
    const shown = [...STANDARD_FIELDS, ...EXTENDED_FIELDS];
    expect(new Set(shown).size).toBe(shown.length);
  });

  it('never shows a sealed field, and no update changes one', () => {
    const open = new Set<string>([...STANDARD_FIELDS, ...EXTENDED_FIELDS, ...Object.keys(UPDATE_RULES)]);
    expect(SEALED_FIELDS.filter((field) => open.has(field))).toEqual([]);
  });
});

it('the audit log notices a change by hand of any column of a customer, except sealing a value anew', async () => {
  const { results: columns } = await env.SHARD_1.prepare('PRAGMA table_info(customers)').all<{
    name: string;
  }>();
  const { results: triggers } = await env.SHARD_1.prepare(
    `SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'customers'
       AND sql LIKE '%AFTER UPDATE%INSERT INTO audit_log%'`,
  ).all<{ sql: string }>();
  expect(triggers.length).toBeGreaterThan(0);
  const watched = triggers.flatMap(({ sql }) => {
    const list = /AFTER UPDATE OF ([\w\s,]+?) ON customers/.exec(sql)?.[1];
    return list === undefined ? columns.map(({ name }) => name) : list.split(/\s*,\s*/);
  });
  const expected = columns.map(({ name }) => name).filter((name) => name !== customers[SEALED_VALUE].name);
  expect(watched.toSorted()).toEqual(expected.toSorted());
});

describe('the shortcut for plain values', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.emailAddress(),
    fc.constantFrom(
      'ng',
      'GH',
      'XX',
      'Male',
      'other',
      '+234 803 123 4567',
      '0803',
      '1.2E+10',
      '=1',
      "'0",
      '',
      ' ',
    ),
    fc.constantFrom(undefined, null, 7, ['a'], 'x'.repeat(600)),
  );

  it.each(Object.entries(BATCH_RULES))('never reads %s otherwise than its schema does', (_, rule) => {
    fc.assert(
      fc.property(texts, (sent) => {
        const read = rule.readPlain(sent);
        if (read !== null) expect(rule.safeParse(sent)).toEqual({ success: true, data: read });
      }),
      { numRuns: 200 },
    );
  });

  it('reads every field of an ordinary row', () => {
    const row: Record<string, unknown> = sentCustomer(0);
    const unread = Object.entries(BATCH_RULES).filter(([field, rule]) => rule.readPlain(row[field]) === null);
    expect(unread).toEqual([]);
  });
});
