/**
 * Rows that repeat the email of an earlier row in another batch. In an import the service refuses the later one,
 * because the earlier one is a customer by then. In a dry run nobody is, and each batch is judged alone: here the
 * verdict of the file is made of those of its batches, which come in its order.
 */
import type { RowBatch } from './row-batch.ts';
import type { Became } from './submit.ts';
import { EmailRows, NO_EMAIL } from '../reading/emails.ts';

/** What a row gets in an import, where the earlier row is a customer. */
const CODE = 'EXISTING_CUSTOMER';
/** Rows of a file whose size is not known. */
const EXPECTED_ROWS = 10_000;

export class Repeats {
  readonly #known: EmailRows;

  /** @param rows of the file, where it is known */
  constructor(rows = EXPECTED_ROWS) {
    this.#known = new EmailRows(rows);
  }

  /** @param became what the service says of the batch by itself; rows that failed are nobody's first */
  judge(batch: RowBatch, became: Became): Became {
    const failedRows = new Set(became.failed.map(({ row }) => row));
    const repeats = batch.emails.flatMap((email, index) => {
      const row = batch.rowOf(index);
      if (email === NO_EMAIL || failedRows.has(row)) return [];
      const earlier = this.#known.claim(email, row);
      if (earlier === undefined) return [];
      const reason = `email is the same as in row ${earlier}`;
      return [{ row, cells: batch.cellsOf(row - batch.firstRow), code: CODE, reason, repeats: true }];
    });
    return {
      ...became,
      createdCount: became.createdCount - repeats.length,
      failed: [...became.failed, ...repeats].toSorted((one, other) => one.row - other.row),
    };
  }
}
