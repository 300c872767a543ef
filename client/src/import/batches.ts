/**
 * Rows, cut into batches: always the same ones of the same file, so that each keeps its Idempotency-Key. What is kept
 * of a batch that is under way is bytes: its rows as objects would take five times as much, and a file of ten million
 * rows should take no more than one of ten thousand.
 */
import type { Row } from './rows.ts';

/** The service takes bodies of 10 MB. */
const MOST_BYTES = 9_500_000;
const HEAD = Buffer.from('{"customers":[');
const TAIL = Buffer.from(']}');
const COMMA = Buffer.from(',');

export class RowBatch {
  /** From 0. */
  readonly number: number;
  /** Number of its first row in the file, from 1. */
  readonly firstRow: number;
  /** Positions in the batch of the rows that are sent, and why the others are not. */
  readonly sent: number[] = [];
  readonly faults = new Map<number, string>();
  #body: Buffer[] | undefined = [];
  #bodyBytes = 0;
  /** The cells of each row, as JSON, one behind the other; and where each ends. */
  readonly #cells: Buffer[] = [];
  readonly #ends: number[] = [];
  #packed: Buffer | undefined;

  constructor(number: number, firstRow: number) {
    this.number = number;
    this.firstRow = firstRow;
  }

  get rowCount(): number {
    return this.#ends.length;
  }

  hasRoomFor(bytes: number): boolean {
    return this.rowCount === 0 || this.#bodyBytes + bytes <= MOST_BYTES;
  }

  add({ cells, fault }: Row, customer: Buffer | undefined): void {
    const position = this.rowCount;
    const packed = Buffer.from(JSON.stringify(cells));
    this.#cells.push(packed);
    this.#ends.push((this.#ends.at(-1) ?? 0) + packed.length);
    if (customer === undefined) this.faults.set(position, fault ?? '');
    else {
      this.sent.push(position);
      this.#body?.push(customer);
      this.#bodyBytes += customer.length + 1;
    }
  }

  /** Thousands of small buffers become two. */
  close(): this {
    this.#packed = Buffer.concat(this.#cells.splice(0));
    const rows = (this.#body ?? []).flatMap((row, position) => (position === 0 ? [row] : [COMMA, row]));
    this.#body = [Buffer.concat([HEAD, ...rows, TAIL])];
    return this;
  }

  /** What is sent. Once it is accepted, it is not needed again: `forgetBody`. */
  get body(): Buffer {
    return this.#body?.[0] ?? TAIL;
  }

  forgetBody(): void {
    this.#body = undefined;
  }

  /** A row as it was. */
  cellsOf(position: number): string[] {
    const bytes = this.#packed?.subarray(this.#ends[position - 1] ?? 0, this.#ends[position]);
    return JSON.parse(bytes?.toString() ?? '[]') as string[];
  }
}

export async function* cut(rows: AsyncIterable<Row>, mostRows: number): AsyncGenerator<RowBatch> {
  let batch = new RowBatch(0, 1);
  for await (const row of rows) {
    const customer = row.fault === undefined ? Buffer.from(JSON.stringify(row.customer)) : undefined;
    if (batch.rowCount === mostRows || !batch.hasRoomFor(customer?.length ?? 0)) {
      yield batch.close();
      batch = new RowBatch(batch.number + 1, batch.firstRow + batch.rowCount);
    }
    batch.add(row, customer);
  }
  if (batch.rowCount > 0) yield batch.close();
}
