import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  fieldKeyVersions,
  importFieldKey,
  openField,
  sealField,
  versionOf,
  type FieldKey,
} from '../../src/crypto/field-cipher.ts';
import { SEALED_VALUE } from '../../src/customers/sealed-fields.ts';
import { sentCustomer } from '../support/customers.ts';
import { countRows } from '../support/database.ts';
import { Service } from '../support/service.ts';

const owner = { bankId: 'bnk_lagos', ownerId: 'cus_1', field: 'accountNumber' };
const secretOf = (letter: string) => btoa(letter.repeat(32));
const keys = new Map<number, FieldKey>();
let key: FieldKey;
beforeAll(async () => {
  key = await importFieldKey(1, secretOf('a'));
  keys.set(1, key).set(2, await importFieldKey(2, secretOf('b')));
});

describe('a sealed field', () => {
  it('opens to its text with the key version that sealed it, old or new', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom(...keys.values()),
        async (text, by) => {
          const sealed = await sealField(by, owner, text.toWellFormed());
          expect(versionOf(sealed)).toBe(by.version);
          expect(await openField(keys, owner, sealed)).toBe(text.toWellFormed());
        },
      ),
    );
  });

  it('differs each time it is sealed', async () => {
    expect(await sealField(key, owner, 'x')).not.toBe(await sealField(key, owner, 'x'));
  });

  it.each([
    ['bank', { ...owner, bankId: 'bnk_accra' }],
    ['customer', { ...owner, ownerId: 'cus_2' }],
    ['field', { ...owner, field: 'reference' }],
  ])('does not open for another %s', async (_, other) => {
    await expect(openField(keys, other, await sealField(key, owner, 'x'))).rejects.toThrow();
  });

  it('does not open if a character was changed or its field key is missing', async () => {
    const sealed = await sealField(key, owner, '0123456789');
    for (let at = 2; at < sealed.length - 2; at += 1) {
      const other = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      await expect(openField(keys, owner, other)).rejects.toThrow();
    }
    await expect(openField(new Map(), owner, sealed)).rejects.toThrow('no field key of version 1');
    await expect(openField(keys, owner, '0123456789')).rejects.toThrow('(none)');
  });
});

it.each(['', 'short', btoa('x'.repeat(31)), 'not base64!'])('refuses %j as a field key', async (secret) => {
  await expect(importFieldKey(1, secret)).rejects.toThrow();
});

it('reads the versions of field keys from the names of secrets', () => {
  expect(
    fieldKeyVersions(['SHARD_1', 'FIELD_KEY_10', 'FIELD_KEY_9', 'FIELD_KEY_0', 'FIELD_KEY_', 'FIELD_KEY_1x']),
  ).toEqual([9, 10]);
});

describe('the service', () => {
  const stored = () =>
    env.SHARD_1.prepare('SELECT id, sealed_fields FROM customers').all<Record<string, string>>();

  it('seals account number and reference with the newest field key before it stages them', async () => {
    const service = new Service(() => ({ FIELD_KEY_1: secretOf('a'), FIELD_KEY_2: secretOf('b') }));
    await service.post([sentCustomer(1)]);
    const staged = await env.SHARD_1.prepare('SELECT payload FROM batch_chunks').first<string>('payload');
    expect(staged).toContain('adaobi.1@');
    expect(staged).not.toMatch(/1000000001|internal-1/);
    await service.deliverAll();
    const { results } = await stored();
    for (const { id: ownerId = '', sealed_fields = '' } of results) {
      expect(versionOf(sealed_fields)).toBe(2);
      const own = { bankId: 'bnk_lagos', ownerId, field: SEALED_VALUE };
      expect(await openField(keys, own, sealed_fields)).toBe('1000000001\ninternal-1');
    }
    expect(results).toHaveLength(1);
  });

  it.each([undefined, 'broken'])(
    'refuses batches with 503 and logs an error while its field key is %s',
    async (secret) => {
      const service = new Service(() => ({ FIELD_KEY_1: secret }));
      const response = await service.post([sentCustomer(1)]);
      expect([response.status, Number(response.headers.get('Retry-After')) > 0]).toEqual([503, true]);
      expect(service.log).toContainEqual(
        expect.objectContaining({ event: 'field_key_missing', level: 'error' }),
      );
      expect(await countRows('batches')).toBe(0);
    },
  );
});
