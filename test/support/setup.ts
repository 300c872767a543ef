/**
 * Before each test of a file: an empty database on the real migrations, and the two banks that every test has.
 * After each: nothing was logged in it that must not be, and no answer was other than the reference says.
 */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect } from 'vitest';
import { seedBanks } from './banks.ts';
import { emptyBindings } from './empty.ts';
import { Service } from './service.ts';

beforeEach(async () => {
  await emptyBindings(env);
  await seedBanks(env.DB);
});

/** What a log line may say: names, counts, ids and times. */
const LOGGED = new Set([
  'level',
  'event',
  'requestId',
  'method',
  'route',
  'status',
  'code',
  'cause',
  'bank',
  'key',
  'cache',
  'milliseconds',
  'batch',
  'batches',
  'keys',
  'chunk',
  'chunks',
  'action',
  'limiter',
  'dependency',
]);
/** Every personal value of the customers that tests send, and every key. */
const CANARIES =
  /adaobi|okafor|chidinma|marina|8031234567|internal-\d|\b10000\d{5}\b|example\.com|peere_(test|live)_|zoo-zoo/i;

afterEach(() => {
  expect(Service.undocumented.splice(0)).toEqual([]);
  for (const line of Service.logs.splice(0)) {
    expect(Object.keys(line).filter((name) => !LOGGED.has(name))).toEqual([]);
    expect(JSON.stringify(line)).not.toMatch(CANARIES);
  }
});
