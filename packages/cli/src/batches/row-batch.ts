/**
 * Splits rows into batches. The same file always gives the same batches, so that each keeps its Idempotency-Key.
 * A batch under way is kept as text: its rows as objects would take five times the memory, and a file of ten million
 * rows should take no more memory than one of ten thousand.
 */
import { hashEmail, NO_EMAIL } from '../reading/emails.ts';
import type { Customer, Row, RowFault } from '../reading/row.ts';

/** The service accepts bodies of up to 10 MB. */
const MAX_BODY_BYTES = 9_500_000;

export class RowBatch {
  /** From 0. */
  readonly number: number;
  /** Number of its first row in the file, from 1. */
  readonly firstRow: number;
  /** Positions in the batch of the rows that are sent. */
  readonly sent: number[] = [];
  /** Why the other rows are not sent, by position. */
  readonly faults = new Map<number, RowFault>();
  /** Hash of the email of each row that is sent, by `hashEmail`. */
  readonly emails: number[] = [];
  #customers: string[] = [];
  #bytes = 0;
  #body = '';
  /** The cells of each row as JSON, later concatenated, and the position where each row ends. */
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
    return this.rowCount === 0 || this.#bytes + bytes <= MAX_BODY_BYTES;
  }

  /** @param json the customer, serialised, and its length in bytes */
  add(cells: string[], { email }: Customer, json: string, bytes: number): void {
    this.sent.push(this.rowCount);
    this.emails.push(hashEmail(email));
    this.#customers.push(json);
    this.#bytes += bytes;
    this.#addCells(cells);
  }

  /** Adds a row that can't be sent. */
  addFaulty(cells: string[], fault: RowFault): void {
    this.faults.set(this.rowCount, fault);
    this.#addCells(cells);
  }

  #addCells(cells: string[]): void {
    const packed = JSON.stringify(cells);
    this.#cells.push(packed);
    this.#ends.push((this.#ends.at(-1) ?? 0) + packed.length);
  }

  /** Concatenates thousands of strings into two. */
  close(): this {
    this.#body = `{"customers":[${this.#customers.join(',')}]}`;
    this.#packed = this.#cells.join('');
    [this.#customers, this.#cells] = [[], []];
    return this;
  }

  /** The body of the request, available until `releaseBody`. */
  get body(): string {
    return this.#body;
  }

  /** Frees the memory of the body, which is not needed once the batch is accepted. */
  releaseBody(): void {
    this.#body = '';
  }

  /** The cells of a row as they were in the file. */
  cellsOf(position: number): string[] {
    return JSON.parse(this.#packed.slice(this.#ends[position - 1] ?? 0, this.#ends[position])) as string[];
  }
}

const encoder = new TextEncoder();
/** Most customers fit into it, and are measured without a copy. */
const scratch = new Uint8Array(64 * 1_024);

/** @returns the bytes of a text in UTF-8: a UTF-16 unit takes at most three */
function utf8Length(text: string): number {
  return text.length * 3 <= scratch.length
    ? encoder.encodeInto(text, scratch).written
    : encoder.encode(text).length;
}

/** Do two batches have an email in common? Very rarely a hash collision makes it true for different emails. */
export function shareEmail(one: RowBatch, other: RowBatch): boolean {
  const emails = new Set(one.emails);
  return other.emails.some((email) => email !== NO_EMAIL && emails.has(email));
}

/**
 * @param rows of at most `MAX_ROW_CHARACTERS`, so that each fits into a body
 * @param afterRow called with the number of rows that the batch under way has
 */
export async function* splitIntoBatches(
  rows: AsyncIterable<Row>,
  maxRows: number,
  afterRow: (rowCount: number) => void = () => undefined,
): AsyncGenerator<RowBatch> {
  let batch = new RowBatch(0, 1);
  for await (const { cells, customer = {}, fault } of rows) {
    const json = fault === undefined ? JSON.stringify(customer) : '';
    const bytes = fault === undefined ? utf8Length(json) + 1 : 0;
    if (batch.rowCount === maxRows || !batch.hasRoomFor(bytes)) {
      yield batch.close();
      batch = new RowBatch(batch.number + 1, batch.firstRow + batch.rowCount);
    }
    if (fault === undefined) batch.add(cells, customer, json, bytes);
    else batch.addFaulty(cells, fault);
    afterRow(batch.rowCount);
  }
  if (batch.rowCount > 0) yield batch.close();
}
