/**
 * Before each test: empty bindings with the real migrations and two banks.
 * After each test: checks that nothing private was logged, and that every response is as the reference says.
 */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect } from 'vitest';
import { seedOfBanks } from './banks.ts';
import { resetBindings } from './empty-bindings.ts';
import { Service } from './service.ts';

beforeEach(async () => resetBindings(env, await seedOfBanks(env)));

/** Properties that a log line may have: names, counts, ids and times. */
const ALLOWED_LOG_PROPERTIES = new Set([
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
  'webhook',
  'host',
  'sequence',
  'reason',
  'endpoints',
  'shard',
  'move',
  'phase',
  'source',
  'target',
]);
/** Personal values of the customers that tests send, and API keys. */
const PRIVATE_VALUES =
  /adaobi|okafor|chidinma|marina|8031234567|internal-\d|\b10000\d{5}\b|example\.com|peere_(test|live)_|zoo-zoo/i;

afterEach(() => {
  expect(Service.undocumented.splice(0), 'parts of responses that the reference does not document').toEqual(
    [],
  );
  for (const line of Service.logs.splice(0)) {
    const unknown = Object.keys(line).filter((name) => !ALLOWED_LOG_PROPERTIES.has(name));
    expect(unknown, 'properties that a log line may not have').toEqual([]);
    expect(JSON.stringify(line), 'a log line without private values').not.toMatch(PRIVATE_VALUES);
  }
});
