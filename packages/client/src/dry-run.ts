/** A dry run that has more failures than one answer. */
import type { BatchReport } from './types.ts';

/**
 * Asks as often as it takes to know every failure: an answer has up to 1 MB of them.
 * @param ask sends the dry run, for the failures from a row on
 * @returns the first report, with the failures of all
 */
export async function withAllFailures(
  ask: (failuresFrom: number | undefined) => Promise<BatchReport>,
): Promise<BatchReport> {
  const report = await ask(undefined);
  const failures = [...report.failures];
  let { failuresInline } = report;
  for (let last = failures.at(-1); !failuresInline && last !== undefined;) {
    const page = await ask(last.index + 1);
    failures.push(...page.failures);
    failuresInline = page.failuresInline;
    last = page.failures.at(-1);
  }
  return { ...report, failures, failuresInline };
}
