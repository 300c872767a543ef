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

  /** @param customer as JSON, and its bytes; undefined for a row that can't be sent */
  add({ cells, fault }: Row, customer: string | undefined, bytes: number): void {
    if (customer === undefined) this.faults.set(this.rowCount, fault ?? '');
    else {
      this.sent.push(this.rowCount);
      this.#customers.push(customer);
      this.#bytes += bytes;
    }
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
    const customer = row.fault === undefined ? JSON.stringify(row.customer) : undefined;
    const bytes = customer === undefined ? 0 : Buffer.byteLength(customer) + 1;
    if (batch.rowCount === mostRows || !batch.hasRoomFor(bytes)) {
      yield batch.close();
      batch = new RowBatch(batch.number + 1, batch.firstRow + batch.rowCount);
    }
    batch.add(row, customer, bytes);
    if (batch.rowCount % CLEAR_UP_EVERY === 0) clearUp();
  }
  if (batch.rowCount > 0) yield batch.close();
}
