/**
 * What a comparison remembers of each row of the file: about 45 bytes, so that a million rows take 45 MB. The rows
 * themselves are read again when their outcome is known.
 */
import { EmailRows, NO_EMAIL } from '../reading/emails.ts';

/** The outcome of a row. */
export const OUTCOME = {
  /** No customer of the directory has its email. */
  missing: 0,
  equal: 1,
  changed: 2,
  /** It can't be read, has no email, or repeats the email of an earlier row. */
  notCompared: 3,
} as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

export class RowIndex {
  readonly #emails: EmailRows;
  readonly #fingerprints: Float64Array;
  readonly #outcomes: Uint8Array;
  /** The row that has the same email, from 1; or the place where the customer is written down. */
  readonly #places: Float64Array;

  constructor(rows: number) {
    this.#emails = new EmailRows(rows);
    this.#fingerprints = new Float64Array(rows + 1);
    this.#outcomes = new Uint8Array(rows + 1);
    this.#places = new Float64Array(rows + 1);
  }

  /** @param row number, from 1 @param email its hash */
  add(row: number, email: number, print: number): void {
    const earlier = email === NO_EMAIL ? row : this.#emails.claim(email, row);
    this.#fingerprints[row] = print;
    if (earlier !== undefined) this.refuse(row, earlier);
  }

  /** @param earlier row with the same email; the row itself if that is not why it can't be compared */
  refuse(row: number, earlier = row): void {
    this.#outcomes[row] = OUTCOME.notCompared;
    this.#places[row] = earlier;
  }

  /** @returns the row with this email that no other customer was found for */
  find(email: number): number | undefined {
    const row = this.#emails.find(email);
    return row !== undefined && this.outcomeOf(row) === OUTCOME.missing ? row : undefined;
  }

  isEqual(row: number, print: number): boolean {
    return this.#fingerprints[row] === print;
  }

  settle(row: number, outcome: Outcome, place = 0): void {
    this.#outcomes[row] = outcome;
    this.#places[row] = place;
  }

  outcomeOf(row: number): Outcome {
    return (this.#outcomes[row] ?? OUTCOME.notCompared) as Outcome;
  }

  placeOf(row: number): number {
    return this.#places[row] ?? 0;
  }
}
