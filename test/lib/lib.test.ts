import { faker } from '@faker-js/faker';
import fc from 'fast-check';
import examples from 'libphonenumber-js/examples.mobile.json';
import metadata from 'libphonenumber-js/metadata.min.json';
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { decodeTime } from 'ulid';
import { describe, expect, it } from 'vitest';
import { sql } from 'drizzle-orm';
import { env } from 'cloudflare:workers';
import { execute, executeBatch } from '../../src/db/statements.ts';
import {
  DatabaseError,
  describeCause,
  isConstraintFailure,
  isDatabaseUnavailable,
  isPhraseCollision,
} from '../../src/db/errors.ts';
import { brokenDatabase, d1Error } from '../support/faulty-bindings.ts';
import { COUNTRIES } from '../../src/lib/countries.ts';
import { createId, idSequence } from '../../src/lib/ids.ts';
import { decodeCursor, encodeCursor } from '../../src/paging/cursor.ts';
import phoneMetadata from '../../src/lib/phone-metadata.json';
import { cleanPhone, isInternational, toE164 } from '../../src/lib/phone.ts';
import { drawPhrase } from '../../src/databases/first-words.ts';
import { normalisePhrase } from '../../src/lib/phrase.ts';
import { systemRuntime } from '../../src/runtime.ts';

describe('phrases', () => {
  it('are four words of the list, and are their own normal form', () => {
    for (let n = 0; n < 1_000; n += 1) {
      const phrase = drawPhrase('SHARD_1', systemRuntime.random);
      expect(phrase).toMatch(/^[a-z]+-[a-z]+-[a-z]+-[a-z]+$/);
      expect(normalisePhrase(phrase)).toBe(phrase);
    }
  });

  it('use every word equally often behind the first one', () => {
    const words = Array.from({ length: 27_000 }, () =>
      drawPhrase('SHARD_1', systemRuntime.random).split('-').slice(1),
    ).flat();
    const counts = Map.groupBy(words, (word) => word);
    expect(counts.size).toBe(2_048);
    // 81,000 draws: 39 of each word expected; beyond 85 is 7 standard deviations.
    expect(Math.max(...[...counts.values()].map(({ length }) => length))).toBeLessThan(85);
  });

  it('with another number of words, or another word, do not exist', () => {
    for (const text of [
      '',
      'zoo',
      'zoo-zoo-zoo',
      'zoo-zoo-zoo-zoo-zoo',
      'zoo-zoo-zoo-lagos',
      '-zoo-zoo-zoo-zoo',
    ]) {
      expect(normalisePhrase(text)).toBeNull();
    }
  });
});

describe('ids', () => {
  it('of a sequence rise, differ, begin with the first and contain its time', () => {
    const first = createId('cus', { now: () => 1_700_000_000_000, random: systemRuntime.random });
    const ids = idSequence(first, 5_000);
    expect(ids[0]).toBe(first);
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect(decodeTime(ids.at(-1)?.slice(4) ?? '')).toBe(1_700_000_000_000);
  });
});

describe('phone numbers', () => {
  it('of every country are read as with the full metadata of the library', () => {
    for (const [country, example] of Object.entries(examples)) {
      const home = country as keyof typeof examples;
      const whole = parsePhoneNumberFromString(example, home);
      expect([country, toE164(example, country)]).toEqual([country, whole?.number]);
      expect(toE164(whole?.formatInternational() ?? '')).toBe(whole?.number);
    }
  });

  it.each([
    '\u202a+234 803 123 4567\u202c',
    '\u200e+2348031234567',
    '\ufeff0803 123 4567',
    '0803\u00ad123\u200b4567',
    '0803\u00a0123\u202f4567',
    '0803\t123\n4567',
    '＋２３４８０３１２３４５６７',
    '０８０３ １２３ ４５６７',
    '٠٨٠٣١٢٣٤٥٦٧',
    '۰۸۰۳۱۲۳۴۵۶۷',
    '(0803) 123–4567',
    '0803.123/4567',
    'tel:+234-803-123-4567',
  ])('are read without what comes along when one is copied: %j', (text) => {
    expect(toE164(cleanPhone(text), 'NG')).toBe('+2348031234567');
  });

  it('are international whatever came before the plus', () => {
    for (const text of ['\u202a+234', '＋234', 'tel:+234', 'tel:\u200e+234', ' \u00a0+234']) {
      expect([text, isInternational(cleanPhone(text))]).toEqual([text, true]);
    }
    expect(isInternational(cleanPhone('\u200e0803'))).toBe(false);
  });

  it.each([
    '0803 123 4567 ext 5',
    '0803 123 4567x5',
    '0803123456#',
    'call 0803 123 4567',
    '0803+1234567',
    '+',
    '',
  ])('are none of %j', (text) => {
    expect(toE164(cleanPhone(text), 'NG')).toBeNull();
  });

  it('are validated by metadata that differs from the library’s only in its formatting patterns', () => {
    const withoutFormats = (plans: Record<string, unknown[]>) =>
      Object.fromEntries(
        Object.entries(plans).map(([name, plan]) => [name, plan.map((part, at) => (at === 4 ? 0 : part))]),
      );
    const { countries, nonGeographic } = metadata as unknown as Record<
      'countries' | 'nonGeographic',
      Record<string, unknown[]>
    >;
    expect(phoneMetadata).toEqual({
      ...metadata,
      countries: withoutFormats(countries),
      nonGeographic: withoutFormats(nonGeographic),
    });
  });
});

it('countries are the codes of ISO 3166-1', () => {
  const codes = faker.definitions.location.country_code?.map(({ alpha2 }) => alpha2) ?? [];
  expect([...COUNTRIES].toSorted()).toEqual(codes.toSorted());
});

describe('cursors', () => {
  const list = { name: 'list', key: 'ab'.repeat(32) };

  it('can be read for the same list of the same bank only', async () => {
    const key = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer());
    const position = fc.record({
      side: fc.constantFrom('from' as const, 'before' as const),
      key: fc.tuple(key, key),
    });
    await fc.assert(
      fc.asyncProperty(position, async (at) => {
        const cursor = await encodeCursor(list, at);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(await decodeCursor(list, 2, cursor)).toEqual(at);
        for (const [other, length] of [
          [{ ...list, name: 'other' }, 2],
          [{ ...list, key: 'cd'.repeat(32) }, 2],
          [list, 1],
        ] as const) {
          await expect(decodeCursor(other, length, cursor)).rejects.toThrow('Invalid customer data');
        }
      }),
      { numRuns: 50 },
    );
  });

  it('do not reveal their contents', async () => {
    const cursor = await encodeCursor(list, { side: 'from', key: ['ada@example.com'] });
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: 'base64url' });
    expect(new TextDecoder().decode(bytes)).not.toContain('ada');
  });

  it('have the same length whatever the private sort key is', async () => {
    const hidden = { ...list, maxKeyCharacters: 200 };
    const text = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((key) => key.length <= 200);
    const lengths = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(text, fc.constantFrom('', '中'.repeat(200), '"'.repeat(200), '\u{1f600}'.repeat(100))),
        fc.constantFrom('from' as const, 'before' as const),
        async (key, side) => {
          const at = { side, key: [key, createId('cus', systemRuntime)] };
          const cursor = await encodeCursor(hidden, at);
          lengths.add(cursor.length);
          expect(await decodeCursor(hidden, 2, cursor)).toEqual(at);
        },
      ),
    );
    expect(lengths.size).toBe(1);
  });

  it('that were made up are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), fc.json()), async (cursor) => {
        await expect(decodeCursor(list, 1, cursor)).rejects.toThrow('Invalid customer data');
      }),
    );
  });
});

describe('causes', () => {
  const real = new Error('D1_ERROR: no such table: x', { cause: new Error('no such table: x') });
  const wrapped = new DatabaseError('a D1 call failed', { cause: real });

  it('are described in D1’s words; other errors by their class and place', () => {
    expect([describeCause(real), describeCause(wrapped)]).toEqual([real.message, real.message]);
    expect(describeCause(new RangeError('ada@example.com'))).toMatch(/^RangeError at /);
    expect(describeCause(new RangeError('ada@example.com'))).not.toContain('ada@');
    expect(describeCause('ada@example.com')).toBe('string');
    expect(describeCause(undefined)).toBeNull();
  });
});

describe('a D1 that throws', () => {
  const db = (error: Error) => brokenDatabase(env.SHARD_1, error, () => false);
  const thrown = async (error: Error) => {
    const together = await executeBatch(db(error), [sql`SELECT 1`]).catch((caught: unknown) => caught);
    const alone = await execute(db(error), sql`SELECT 1`).catch((caught: unknown) => caught);
    return [together, alone];
  };

  it.each([
    d1Error('Network connection lost.'),
    d1Error('D1 SHARD_1 is overloaded. Requests queued for too long.'),
    d1Error('database is locked: SQLITE_BUSY'),
    d1Error('disk I/O error: SQLITE_IOERR'),
    new Error('Network connection lost.'),
  ])('%s is away', async (error) => {
    for (const caught of await thrown(error)) expect(isDatabaseUnavailable(caught)).toBe(true);
  });

  it.each([
    d1Error('no such column: x: SQLITE_ERROR'),
    d1Error('string or blob too big: SQLITE_TOOBIG'),
    d1Error('CHECK constraint failed: length(country) = 2: SQLITE_CONSTRAINT'),
    new TypeError('x is not a function'),
  ])('%s is not away', async (error) => {
    for (const caught of await thrown(error)) expect(isDatabaseUnavailable(caught)).toBe(false);
  });

  it('because of a row is recognised, whatever the constraint', async () => {
    for (const statement of [
      sql`INSERT INTO tenants (bank_id, state, customer_count) VALUES ('x', 'open', -1)`,
      sql`INSERT INTO tenants (bank_id, state, customer_count) VALUES ('x', 'open', 'no number')`,
      sql`INSERT INTO tenants (bank_id, state) VALUES ('bnk_lagos', 'open')`,
    ]) {
      const caught: unknown = await executeBatch(env.SHARD_1, [statement]).catch((error: unknown) => error);
      expect(isConstraintFailure(caught)).toBe(true);
      expect(isPhraseCollision(caught)).toBe(false);
    }
  });
});
