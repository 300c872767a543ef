/** Which rows of a file have one email: the service knows that of the rows of one batch, and of its customers. */
import { hashText } from './hash.ts';

/** UTF-16 units of an email that may be one, however its accents are written: 254 (RFC 5321), decomposed. */
const MAX_EMAIL = 254 * 4;
/** What `hashEmail` returns for no email. */
export const NO_EMAIL = -1;

/** Two emails that the service takes for one have one hash: it trims, composes accents, and ignores case. */
export function hashEmail(email: string | undefined): number {
  if (email === undefined || email.length > MAX_EMAIL) return NO_EMAIL;
  return hashText(email.trim().normalize('NFC').toLowerCase());
}

/** Part of the places that are taken at most: beyond it, looking for a free one takes long. */
const MAX_LOAD = 0.75;

/** Which row has an email. 16 bytes a row: a million rows are 16 MB, and have to fit beside all else. */
export class EmailRows {
  #emails: Float64Array;
  /** From 1; 0 is a free place. */
  #rows: Uint32Array;
  #count = 0;

  /** @param expected rows; more of them cost time */
  constructor(expected: number) {
    const places = Math.ceil(expected / MAX_LOAD) + 1;
    [this.#emails, this.#rows] = [new Float64Array(places), new Uint32Array(places)];
  }

  /** @returns the row that has this email already; undefined: this row has it now */
  claim(email: number, row: number): number | undefined {
    if (this.#count >= this.#rows.length * MAX_LOAD) this.#grow();
    let place = email % this.#rows.length;
    while (this.#rows[place] !== 0) {
      if (this.#emails[place] === email) return this.#rows[place];
      place = (place + 1) % this.#rows.length;
    }
    [this.#emails[place], this.#rows[place]] = [email, row];
    this.#count += 1;
    return undefined;
  }

  #grow(): void {
    const [emails, rows] = [this.#emails, this.#rows];
    [this.#emails, this.#rows] = [new Float64Array(rows.length * 2), new Uint32Array(rows.length * 2)];
    this.#count = 0;
    for (const [place, row] of rows.entries()) if (row !== 0) this.claim(emails[place] ?? NO_EMAIL, row);
  }
}
