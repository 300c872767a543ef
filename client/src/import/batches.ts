/**
 * Rows, cut into batches: always the same ones of the same file, so that each keeps its Idempotency-Key. What is kept
 * of a batch that is under way is text: its rows as objects would take five times as much, and a file of ten million
 * rows should take no more than one of ten thousand.
 */
import { CLEAR_UP_EVERY, clearUp } from './memory.ts';
import type { Row } from './rows.ts';

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
  readonly faults = new Map<number, string>();
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

  hasRoomFor(bytes: number): boolean {
    return this.rowCount === 0 || this.#bytes + bytes <= MOST_BYTES;
  }

  /** @param customer as JSON, and its bytes */
  add(cells: string[], customer: string, bytes: number): void {
    this.sent.push(this.rowCount);
    this.#customers.push(customer);
    this.#bytes += bytes;
    this.#keep(cells);
  }

  /** A row that can't be sent. */
  addFaulty(cells: string[], fault: string): void {
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

export async function* cut(rows: AsyncIterable<Row>, mostRows: number): AsyncGenerator<RowBatch> {
  let batch = new RowBatch(0, 1);
  for await (const row of rows) {
    const text = row.fault === undefined ? JSON.stringify(row.customer) : '';
    const bytes = Buffer.byteLength(text) + 1;
    const fault = row.fault ?? (bytes > MOST_BYTES ? 'is larger than the service takes' : undefined);
    if (batch.rowCount === mostRows || !batch.hasRoomFor(fault === undefined ? bytes : 0)) {
      yield batch.close();
      batch = new RowBatch(batch.number + 1, batch.firstRow + batch.rowCount);
    }
    if (fault === undefined) batch.add(row.cells, text, bytes);
    else batch.addFaulty(row.cells, fault);
    if (batch.rowCount % CLEAR_UP_EVERY === 0) clearUp();
  }
  if (batch.rowCount > 0) yield batch.close();
}
