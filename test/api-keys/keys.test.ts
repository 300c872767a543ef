import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { checksumOf, hasChecksum } from '../../src/api-keys/api-key-checksum.ts';
import { hashApiKey } from '../../src/api-keys/api-keys.service.ts';
import { API_KEYS } from '../support/banks.ts';
import { Meter } from '../support/meter.ts';
import { Service } from '../support/service.ts';

let now: number;
beforeEach(() => {
  now = Date.UTC(2026, 10, 22, 23, 59, 50);
});

describe('the checksum of an API key', () => {
  it('is CRC-32 in base64url', () => {
    // The check value of the standard: CRC-32 of "123456789" is cbf43926.
    expect(checksumOf('123456789')).toBe('y_Q5Jg');
  });

  it('rejects every typo of one character in a live API key without a D1 call', async () => {
    const meter = new Meter();
    const service = new Service((bindings) => meter.bindings(bindings));
    for (let at = 'peere_live_'.length; at < API_KEYS.live.length; at += 1) {
      const typo = `${API_KEYS.live.slice(0, at)}${API_KEYS.live[at] === 'x' ? 'y' : 'x'}${API_KEYS.live.slice(at + 1)}`;
      expect({ typo, accepted: hasChecksum(typo) }).toEqual({ typo, accepted: false });
      expect((await service.get('/v1/bank/customers', typo)).status).toBe(401);
    }
    expect(meter.d1Calls).toBe(0);
    expect((await service.get('/v1/bank/customers', API_KEYS.live)).status).toBe(200);
  });
});

describe('the day on which an API key was last used', () => {
  const lastUsed = async () =>
    env.DIRECTORY.prepare('SELECT last_used_on FROM api_keys WHERE hash = ?')
      .bind(await hashApiKey(API_KEYS.full))
      .first('last_used_on');

  it('is written once a day', async () => {
    const meter = new Meter();
    const service = new Service((bindings) => meter.bindings(bindings), { now: () => now });
    expect(await lastUsed()).toBeNull();
    await service.get('/v1/bank/customers');
    expect(await lastUsed()).toBe('2026-11-22');
    now += 30_000;
    await service.get('/v1/bank/customers');
    expect(await lastUsed()).toBe('2026-11-23');
    meter.reset();
    now += 30_000;
    await service.get('/v1/bank/customers');
    // It reads the API key and the list, and writes nothing.
    expect({ d1Calls: meter.d1Calls, rowsWritten: meter.rowsWritten }).toEqual({
      d1Calls: 2,
      rowsWritten: 0,
    });
  });

  it('does not fail the request if it cannot be written', async () => {
    const service = new Service(({ DIRECTORY }) => ({
      DIRECTORY: {
        prepare: (sql: string) => DIRECTORY.prepare(sql.replace('UPDATE api_keys', 'UPDATE no_such_table')),
        batch: (statements: D1PreparedStatement[]) => DIRECTORY.batch(statements),
      } as unknown as D1Database,
    }));
    expect((await service.get('/v1/bank/customers')).status).toBe(200);
    expect(service.log).toContainEqual(expect.objectContaining({ event: 'key_use_not_noted' }));
  });
});
