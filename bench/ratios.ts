/** The ratios that the bench judges, each computed round by round. */
import type { BatchRates } from './batches.ts';
import type { BesideImport } from './beside-import.ts';
import type { Measured } from './load.ts';
import type { Ratio } from './report.ts';
import { median, percentile } from './statistics.ts';
import type { Costs } from './worst.ts';

/** What one round measured of each load. */
export type LoadRound<Name extends string> = Record<Name, Measured>;

export interface BatchRound {
  ours: BatchRates;
  large: BatchRates;
  bare: number;
  typical: number;
  costs: Costs;
}

type Value<Round> = (round: Round) => number;
/** The upper end of what is good, or the lower. */
type Target = { atLeast: number } | { atMost: number };

/** @returns a function that compares two measurements of each round */
export function comparing<Round>(rounds: Round[]) {
  const digits = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  return (what: string, unit: string, target: Target, top: Value<Round>, bottom: Value<Round>): Ratio => {
    const ratios = rounds.map((round) => top(round) / bottom(round));
    const [one, other] = [median(rounds.map(top)), median(rounds.map(bottom))];
    return {
      what,
      ratio: median(ratios),
      quartiles: [percentile(ratios, 0.25), percentile(ratios, 0.75)],
      target: 'atMost' in target ? target.atMost : target.atLeast,
      isMaximum: 'atMost' in target,
      of: `${digits(one)} ÷ ${digits(other)} ${unit}`,
    };
  };
}

type LookupLoad = 'phrase hit' | 'id' | 'email';
type Load =
  | LookupLoad
  | `${LookupLoad}, large`
  | 'constant'
  | 'raw cache'
  | 'payee hit'
  | 'phrase, typical'
  | 'raw D1 by id'
  | 'raw D1 by email'
  | 'raw D1 list'
  | 'list';

export function compareLookups(rounds: LoadRound<Load>[]): Ratio[] {
  const compare = comparing(rounds);
  const rate = (load: Load) => (round: LoadRound<Load>) => round[load].rate;
  const p50 = (load: Load) => (round: LoadRound<Load>) => round[load].p50;
  const cpu = (round: LoadRound<Load>, load: Load) => (round[load].cpu ?? Number.NaN) * 1_000;
  const speed = (what: string, atLeast: number, top: Load, bottom: Load) =>
    compare(what, 'a second', { atLeast }, rate(top), rate(bottom));
  const growth = (load: LookupLoad) =>
    compare(`p50, ${load}, 1,000,000 ÷ 1,000`, 'ms', { atMost: 1.2 }, p50(`${load}, large`), p50(load));
  return [
    speed('phrase hit ÷ raw cache read', 0.85, 'phrase hit', 'raw cache'),
    speed('phrase hit ÷ typical', 2, 'phrase hit', 'phrase, typical'),
    speed('payee hit ÷ phrase hit', 0.9, 'payee hit', 'phrase hit'),
    speed('id ÷ raw D1 read', 0.9, 'id', 'raw D1 by id'),
    speed('email ÷ raw D1 read', 0.9, 'email', 'raw D1 by email'),
    speed('list of 50 ÷ raw D1 read', 0.8, 'list', 'raw D1 list'),
    compare(
      'CPU, phrase hit beyond the raw cache read ÷ constant JSON',
      'µs',
      { atMost: 1.5 },
      (round) => cpu(round, 'phrase hit') - cpu(round, 'raw cache'),
      (round) => cpu(round, 'constant'),
    ),
    growth('phrase hit'),
    growth('id'),
    growth('email'),
  ];
}

/** @param bytes stored per customer */
export function compareBatches(rounds: BatchRound[], bytes: number): Ratio[] {
  const compare = comparing(rounds);
  const speed = (what: string, atLeast: number, top: Value<BatchRound>, bottom: Value<BatchRound>) =>
    compare(what, 'a second', { atLeast }, top, bottom);
  const [accepted, applied] = [({ ours }: BatchRound) => ours.accept, ({ ours }: BatchRound) => ours.consume];
  return [
    speed('accept 10,000 ÷ typical', 60, accepted, ({ typical }) => typical),
    speed('apply ÷ raw insert', 0.85, applied, ({ bare }) => bare),
    speed('apply at 1,000,000 ÷ into an empty bank', 0.4, ({ large }) => large.consume, applied),
    compare(
      'CPU, worst body of 10 MB ÷ 10,000 customers',
      'ms',
      { atMost: 2 },
      ({ costs }) => costs.worst,
      ({ costs }) => costs.ordinary,
    ),
    {
      what: 'bytes stored per customer',
      ratio: bytes,
      quartiles: [bytes, bytes],
      target: 560,
      isMaximum: true,
      of: 'bytes',
    },
  ];
}

/** @param lookup of these rounds, such as `id` */
export function compareBesideImport(lookup: string, rounds: BesideImport[]): Ratio[] {
  const compare = comparing(rounds);
  return (['accept', 'apply'] as const).flatMap((phase) => [
    compare(
      `p99, ${lookup}, during ${phase} ÷ idle`,
      'ms',
      { atMost: 4 },
      (round) => round[phase].p99,
      ({ idle }) => idle.p99,
    ),
    compare(
      `rate, ${lookup}, during ${phase} ÷ idle`,
      'a second',
      { atLeast: 0.25 },
      (round) => round[phase].rate,
      ({ idle }) => idle.rate,
    ),
    compare(
      `${phase} beside lookups by ${lookup} ÷ alone`,
      'customers a second',
      { atLeast: 0.5 },
      (round) => round.imported[phase].beside,
      (round) => round.imported[phase].alone,
    ),
  ]);
}
