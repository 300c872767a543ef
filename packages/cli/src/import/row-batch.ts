/**
 * Rows, cut into batches: always the same ones of the same file, so that each keeps its Idempotency-Key. What is kept
 * of a batch that is under way is text: its rows as objects would take five times as much, and a file of ten million
 * rows should take no more than one of ten thousand.
 */
import { CLEAR_UP_EVERY, clearUp } from './memory.ts';
import { hashEmail, NO_EMAIL } from '../reading/emails.ts';
import type { Customer, Fault, Row } from '../reading/row.ts';

/** The service takes bodies of 10 MB. */
const MOST_BYTES = 9_500_000;

export class RowBatch {
  /** From 0. */
  readonly number: number;
  /** Number of its first row in the file, from 1. */
  readonly firstRow: number;
  /** Positions in the batch of the rows that are sent. */
  readonly sent: number[] = [];
  /** Why the others are not, by position. */
  readonly faults = new Map<number, Fault>();
  /** Hash of the email of each row that is sent, as emails.ts has it. */
  readonly emails: number[] = [];
  #customers: string[] = [];
  #bytes = 0;
  #body = '';
  /** The cells of each row, as JSON, one behind the other; and where each ends. */
  #cells: string[] = [];
  #packed = '';
  readonly #ends: number[] = [];

  constructor(number: number, firstRow: number) {
    this.number = number;
    this.firstRow = firstRow;
  }

  get rowCount(): number {
    return this.#ends.length;
  }

  /** @param index of a row among those that are sent, from 0, as the service counts @returns its row in the file */
  rowOf(index: number): number {
    return this.firstRow + (this.sent[index] ?? 0);
  }

  hasRoomFor(bytes: number): boolean {
    return this.rowCount === 0 || this.#bytes + bytes <= MOST_BYTES;
  }

  /** @param json the customer, and its bytes */
  add(cells: string[], { email }: Customer, json: string, bytes: number): void {
    this.sent.push(this.rowCount);
    this.emails.push(hashEmail(email));
    this.#customers.push(json);
    this.#bytes += bytes;
    this.#keep(cells);
  }

  /** A row that can't be sent. */
  addFaulty(cells: string[], fault: Fault): void {
    this.faults.set(this.rowCount, fault);
    this.#keep(cells);
  }

  #keep(cells: string[]): void {
    const packed = JSON.stringify(cells);
    this.#cells.push(packed);
    this.#ends.push((this.#ends.at(-1) ?? 0) + packed.length);
  }

  /** Thousands of texts become two. */
  close(): this {
    this.#body = `{"customers":[${this.#customers.join(',')}]}`;
    this.#packed = this.#cells.join('');
    [this.#customers, this.#cells] = [[], []];
    return this;
  }

  /** What is sent. Once it is accepted it is not needed again: `forgetBody`. */
  get body(): string {
    return this.#body;
  }

  forgetBody(): void {
    this.#body = '';
  }

  /** A row as it was. */
  cellsOf(position: number): string[] {
    return JSON.parse(this.#packed.slice(this.#ends[position - 1] ?? 0, this.#ends[position])) as string[];
  }
}

/** Two customers of one email, one in each. Very rarely (hash.ts) it says so where there are none. */
export function shareEmail(one: RowBatch, other: RowBatch): boolean {
  const emails = new Set(one.emails);
  return other.emails.some((email) => email !== NO_EMAIL && emails.has(email));
}

/** Rows are at most MAX_ROW characters, so that each fits into a body. */
export async function* cut(rows: AsyncIterable<Row>, mostRows: number): AsyncGenerator<RowBatch> {
  let batch = new RowBatch(0, 1);
  for await (const { cells, customer = {}, fault } of rows) {
    const json = fault === undefined ? JSON.stringify(customer) : '';
    const bytes = fault === undefined ? Buffer.byteLength(json) + 1 : 0;
    if (batch.rowCount === mostRows || !batch.hasRoomFor(bytes)) {
      yield batch.close();
      batch = new RowBatch(batch.number + 1, batch.firstRow + batch.rowCount);
    }
    if (fault === undefined) batch.add(cells, customer, json, bytes);
    else batch.addFaulty(cells, fault);
    if (batch.rowCount % CLEAR_UP_EVERY === 0) clearUp();
  }
  if (batch.rowCount > 0) yield batch.close();
}
