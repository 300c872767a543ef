/** Finds rows with the same email. The service compares emails within a batch and with its customers, not across batches. */
import { hashText } from './hash.ts';

/** UTF-16 units that a valid email may have, however its accents are written: 254 (RFC 5321), decomposed. */
const MAX_EMAIL_UNITS = 254 * 4;
/** What `hashEmail` returns if there is no email. */
export const NO_EMAIL = -1;

/** Gives emails that are the same to the service the same hash: it trims, composes accents and ignores case. */
export function hashEmail(email: string | undefined): number {
  if (email === undefined || email.length > MAX_EMAIL_UNITS) return NO_EMAIL;
  return hashText(email.trim().normalize('NFC').toLowerCase());
}

/** The share of slots that may be taken: beyond it, finding a free one takes long. */
const MAX_LOAD = 0.75;

/** Which row has an email: a hash table of 16 bytes a row, so that a million rows take 16 MB. */
export class EmailRows {
  #emails: Float64Array;
  /** Row numbers, from 1; 0 is a free slot. */
  #rows: Uint32Array;
  #count = 0;

  /** @param expected rows; with more of them the table has to grow */
  constructor(expected: number) {
    const slots = Math.ceil(expected / MAX_LOAD) + 1;
    [this.#emails, this.#rows] = [new Float64Array(slots), new Uint32Array(slots)];
  }

  /** @returns the row that has this email; undefined if none has */
  find(email: number): number | undefined {
    return this.#rows[this.#slotOf(email)] || undefined;
  }

  /** @returns the row that has this email already; undefined if this row now has it */
  claim(email: number, row: number): number | undefined {
    if (this.#count >= this.#rows.length * MAX_LOAD) this.#grow();
    const slot = this.#slotOf(email);
    if (this.#rows[slot] !== 0) return this.#rows[slot];
    [this.#emails[slot], this.#rows[slot]] = [email, row];
    this.#count += 1;
    return undefined;
  }

  /** The slot that has this email, or the free one where it belongs. */
  #slotOf(email: number): number {
    let slot = email % this.#rows.length;
    while (this.#rows[slot] !== 0 && this.#emails[slot] !== email) slot = (slot + 1) % this.#rows.length;
    return slot;
  }

  #grow(): void {
    const [emails, rows] = [this.#emails, this.#rows];
    [this.#emails, this.#rows] = [new Float64Array(rows.length * 2), new Uint32Array(rows.length * 2)];
    this.#count = 0;
    for (const [slot, row] of rows.entries()) if (row !== 0) this.claim(emails[slot] ?? NO_EMAIL, row);
  }
}
