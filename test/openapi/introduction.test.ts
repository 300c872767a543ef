/** The introduction of the reference states the limits that are set. */
import { expect, it } from 'vitest';
import wranglerToml from '../../wrangler.toml?raw';
import { INTRODUCTION } from '../../src/openapi/introduction.ts';
import { RATE_POLICIES } from '../../src/rate-limits/rate-limits.ts';

const format = (value: number) => value.toLocaleString('en');

/** The cells of the row of a table that begins with this text. */
const rowOf = (start: string) =>
  INTRODUCTION.split('\n')
    .find((line) => line.startsWith(`| ${start}`))
    ?.split(' | ') ?? [];

it.each([
  ['lookups', 'lookups'],
  ['changes', 'updates and erasures'],
  ['batches', 'batches'],
  ['misses', 'misses'],
] as const)('the introduction states the limit of an API key on %s', (quota, row) => {
  const { limit, seconds } = RATE_POLICIES[quota];
  expect(rowOf(row)[1]).toBe(`${format(limit)} in ${seconds} seconds |`);
});

it.each([
  ['MAX_OPEN_BATCHES', 'open batches'],
  ['MAX_FAILURES_PER_DAY', 'failed rows in a UTC day'],
  ['MAX_STORED_FAILURES', 'failures that are kept'],
])('the introduction states the limit of a bank, %s', (name, row) => {
  const value = Number(new RegExp(`^${name} = (\\d+)`, 'm').exec(wranglerToml)?.[1]);
  expect(rowOf(row)[1]).toBe(format(value));
});
