/** A dry run with more failures than one response holds. */
import type { BatchReport } from './types.ts';

/**
 * Repeats a dry run until every failure is known: one response holds up to 1 MB of them.
 * @param dryRun sends the rows; the response lists the failures from this row on
 * @returns the first report, with the failures of all responses
 */
export async function withAllFailures(
  dryRun: (failuresFrom: number | undefined) => Promise<BatchReport>,
): Promise<BatchReport> {
  const report = await dryRun(undefined);
  const failures = [...report.failures];
  let { failuresInline } = report;
  for (let last = failures.at(-1); !failuresInline && last !== undefined;) {
    const page = await dryRun(last.index + 1);
    failures.push(...page.failures);
    failuresInline = page.failuresInline;
    last = page.failures.at(-1);
  }
  return { ...report, failures, failuresInline };
}
