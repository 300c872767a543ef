/** The rules in front of a move. */
import { describe, expect, it } from 'vitest';
import { estimateWaitSeconds, explainRefusal, type MoveFacts } from '../../../src/databases/moves/begin.ts';

const shard = { jurisdiction: null, isClosed: false, migrations: ['0001.sql'], bytes: 0 };
const [source, target] = [
  { ...shard, name: 'SHARD_1' },
  { ...shard, name: 'SHARD_2' },
];
const facts: MoveFacts = {
  bankId: 'bnk_lagos',
  targetName: 'SHARD_2',
  source,
  target,
  state: 'open',
  customerCount: 1_000_000,
  rowCount: 1_000_000,
  unfinished: undefined,
  allowsJurisdictionChange: false,
  commandOptions: '',
};

describe('a move', () => {
  it('may begin if nothing is against it', () => {
    expect(explainRefusal(facts)).toBeNull();
  });

  it.each<[string, Partial<MoveFacts>, RegExp]>([
    ['an unknown bank', { source: undefined }, /^There is no bank bnk_lagos/],
    ['an unknown shard', { target: undefined }, /^There is no shard SHARD_2/],
    ['a bank that is there already', { target: source, targetName: 'SHARD_1' }, /is in SHARD_1 already/],
    ['a closed shard', { target: { ...target, isClosed: true } }, /SHARD_2 is closed to new banks/],
    [
      'a full shard',
      { target: { ...target, bytes: 9_900_000_000 } },
      /takes about 0.6 GB and SHARD_2 has 0.1 GB left/,
    ],
    [
      'another jurisdiction',
      { target: { ...target, jurisdiction: 'eu' } },
      /SHARD_2 is in the jurisdiction eu: add --allow-jurisdiction-change/,
    ],
    ['other migrations', { target: { ...target, migrations: [] } }, /have different migrations/],
    ['a bank that is not open', { state: 'moved' }, /is not open in SHARD_1/],
    [
      'a second move',
      { unfinished: { number: 3, target: 'SHARD_2', phase: 'copying' } },
      /^Move 3 of bnk_lagos to SHARD_2 is not over: it is under way/,
    ],
    [
      'a move while old rows are removed',
      { unfinished: { number: 3, target: 'SHARD_2', phase: 'cleaning' } },
      /its old rows are kept for five minutes/,
    ],
  ])('is refused in one sentence to %s', (_, changes, sentence) => {
    expect(explainRefusal({ ...facts, ...changes })).toMatch(sentence);
  });

  it('counts rows of every kind when it looks for room', () => {
    const crowded = { ...facts, rowCount: 6_000_000, target: { ...target, bytes: 9_000_000_000 } };
    expect(explainRefusal(crowded)).toMatch(/takes about 2.1 GB and SHARD_2 has 1.0 GB left/);
  });

  it('names commands for the databases that it was asked about', () => {
    const refusal = explainRefusal({ ...facts, target: undefined, commandOptions: ' --remote' });
    expect(refusal).toBe('There is no shard SHARD_2: npm run shard -- list --remote shows all.');
  });

  it('may cross jurisdictions if that is allowed', () => {
    const abroad = { ...target, jurisdiction: 'eu' };
    expect(explainRefusal({ ...facts, target: abroad, allowsJurisdictionChange: true })).toBeNull();
  });

  it('is estimated by its rows, with the pace of the cron', () => {
    expect(estimateWaitSeconds(0)).toBe(70);
    expect(estimateWaitSeconds(1_000_000)).toBeGreaterThan(70 + 60);
  });
});
