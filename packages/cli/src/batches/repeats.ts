/**
 * Finds rows that repeat the email of an earlier row in another batch. In an import the service refuses the later row,
 * because the earlier one is a customer by then. In a dry run no row becomes a customer and each batch is validated
 * alone, so this adds the failures that the import would have. Batches come in the order of the file.
 */
import { EmailRows, NO_EMAIL } from '../reading/emails.ts';
import type { RowBatch } from './row-batch.ts';
import type { BatchOutcome } from './outcome.ts';

/** The code that the row gets in an import, when the earlier row is a customer. */
const CODE = 'EXISTING_CUSTOMER';
/** Assumed if the number of rows of the file is not known. */
const DEFAULT_EXPECTED_ROWS = 10_000;

export class Repeats {
  readonly #known: EmailRows;

  /** @param rows of the file, if known */
  constructor(rows = DEFAULT_EXPECTED_ROWS) {
    this.#known = new EmailRows(rows);
  }

  /** @param outcome of the batch on its own; a row that failed there does not make a later row a repeat */
  addTo(batch: RowBatch, outcome: BatchOutcome): BatchOutcome {
    const failedRows = new Set(outcome.failed.map(({ row }) => row));
    const repeats = batch.emails.flatMap((email, index) => {
      const row = batch.rowOf(index);
      if (email === NO_EMAIL || failedRows.has(row)) return [];
      const earlier = this.#known.claim(email, row);
      if (earlier === undefined) return [];
      const reason = `email is the same as in row ${earlier}`;
      const cells = batch.cellsOf(row - batch.firstRow);
      return [{ row, cells, code: CODE, reason, fields: ['email'], isRepeat: true }];
    });
    return {
      ...outcome,
      createdCount: outcome.createdCount - repeats.length,
      failed: [...outcome.failed, ...repeats].toSorted((one, other) => one.row - other.row),
    };
  }
}
