/** Formats what the policies cost as a table. */
import type { Outcome } from './replay.ts';
import { PRICES } from './parameters.ts';

/** Dollars per million lookups for what lookups call, requests and CPU apart. */
export function dollarsPerMillion({ calls, lookups }: Outcome): number {
  const { kvRead, kvWrite, d1RowRead, d1RowWritten } = PRICES;
  const dollars =
    calls.kvReads * kvRead +
    calls.kvWrites * kvWrite +
    calls.rowsRead * d1RowRead +
    calls.rowsWritten * d1RowWritten;
  return dollars / lookups;
}

/** @returns NaN if there are no latencies */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const HEADINGS = [
  'policy',
  'hits',
  'KV reads',
  'KV writes',
  'D1 rows',
  'primary',
  '$ a million',
  'p50 ms',
  'p99 ms',
  'oldest seen s',
  'bound s',
];

/** Calls and rows are per lookup. */
export function toRow(name: string, bound: number, outcome: Outcome): string[] {
  const { hits, lookups, calls, latencies, stalest } = outcome;
  const each = (count: number) => (count / lookups).toFixed(2);
  return [
    name,
    `${((100 * hits) / lookups).toFixed(0)} %`,
    each(calls.kvReads),
    each(calls.kvWrites),
    each(calls.rowsRead),
    each(calls.primaryCalls),
    dollarsPerMillion(outcome).toFixed(2),
    quantile(latencies, 0.5).toFixed(0),
    quantile(latencies, 0.99).toFixed(0),
    (stalest / 1_000).toFixed(0),
    String(bound),
  ];
}

export function toTable(rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(HEADINGS),
    line(HEADINGS.map((_, column) => (column === 0 ? '---' : '--:'))),
    ...rows.map(line),
  ].join('\n');
}
