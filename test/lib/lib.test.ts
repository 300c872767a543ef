import { faker } from '@faker-js/faker';
import fc from 'fast-check';
import examples from 'libphonenumber-js/examples.mobile.json';
import metadata from 'libphonenumber-js/metadata.min.json';
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { decodeTime } from 'ulid';
import { describe, expect, it } from 'vitest';
import { describeCause, rootMessage } from '../../src/lib/cause.ts';
import { COUNTRIES } from '../../src/lib/countries.ts';
import { createId, idSequence } from '../../src/lib/ids.ts';
import { decodeCursor, encodeCursor } from '../../src/lib/paging.ts';
import phoneMetadata from '../../src/lib/phone-metadata.json';
import { toE164 } from '../../src/lib/phone.ts';
import { createPhrase, normalisePhrase } from '../../src/lib/phrase.ts';
import { systemRuntime } from '../../src/runtime.ts';

describe('phrases', () => {
  it('are four words of the list, and read back as they are', () => {
    for (let n = 0; n < 1_000; n += 1) {
      const phrase = createPhrase(systemRuntime.random);
      expect(phrase).toMatch(/^[a-z]+-[a-z]+-[a-z]+-[a-z]+$/);
      expect(normalisePhrase(phrase)).toBe(phrase);
    }
  });

  it('use every word alike', () => {
    const words = Array.from({ length: 20_000 }, () => createPhrase(systemRuntime.random).split('-')).flat();
    const counts = Map.groupBy(words, (word) => word);
    expect(counts.size).toBe(2_048);
    // 80,000 draws: 39 of each word expected; beyond 85 is 7 standard deviations.
    expect(Math.max(...[...counts.values()].map(({ length }) => length))).toBeLessThan(85);
  });

  it('with another number of words, or another word, can not exist', () => {
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
  it('of a sequence rise, differ, begin with the first and carry its time', () => {
    const first = createId('cus', { now: () => 1_700_000_000_000, random: systemRuntime.random });
    const ids = idSequence(first, 5_000);
    expect(ids[0]).toBe(first);
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect(decodeTime(ids.at(-1)?.slice(4) ?? '')).toBe(1_700_000_000_000);
  });
});

describe('phone numbers', () => {
  it('of every country are read as with the whole metadata of the library', () => {
    for (const [country, example] of Object.entries(examples)) {
      const home = country as keyof typeof examples;
      const whole = parsePhoneNumberFromString(example, home);
      expect([country, toE164(example, country)]).toEqual([country, whole?.number]);
      expect(toE164(whole?.formatInternational() ?? '')).toBe(whole?.number);
    }
  });

  it('are judged by metadata that differs from the library’s in its printing patterns alone', () => {
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

it('countries are those of ISO 3166-1', () => {
  const codes = faker.definitions.location.country_code?.map(({ alpha2 }) => alpha2) ?? [];
  expect([...COUNTRIES].toSorted()).toEqual(codes.toSorted());
});

describe('cursors', () => {
  it('read back as they were, for the same list only', () => {
    const key = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer());
    const position = fc.record({ side: fc.constantFrom('from', 'before'), key: fc.tuple(key, key) });
    fc.assert(
      fc.property(fc.string(), position, (list, at) => {
        const cursor = encodeCursor(list, at);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(decodeCursor(list, 2, cursor)).toEqual(at);
        expect(() => decodeCursor(`${list}.`, 2, cursor)).toThrow('Invalid customer data');
        expect(() => decodeCursor(list, 1, cursor)).toThrow('Invalid customer data');
      }),
    );
  });

  it('of anybody’s making are refused, never followed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.json().map(btoa_)), (cursor) => {
        expect(() => decodeCursor('list', 1, cursor)).toThrow('Invalid customer data');
      }),
    );
  });
});

function btoa_(text: string): string {
  return new TextEncoder().encode(text).toBase64({ alphabet: 'base64url' });
}

describe('causes', () => {
  it('are the innermost, and of foreign errors only the class and the place', () => {
    const d1 = new Error('D1_ERROR: no such table: x');
    const wrapped = new Error('Failed query: params: ada@example.com', { cause: d1 });
    expect(rootMessage(wrapped)).toBe(d1.message);
    expect(describeCause(wrapped)).toBe(d1.message);
    expect(describeCause(new RangeError('ada@example.com'))).toMatch(/^RangeError at /);
    expect(describeCause(new RangeError('ada@example.com'))).not.toContain('ada@');
    expect(describeCause('ada@example.com')).toBe('string');
    expect(describeCause(undefined)).toBeNull();
  });
});
