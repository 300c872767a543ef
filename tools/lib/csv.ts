/** Writes customers as CSV, with the field names of the contract. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stringify } from 'csv-stringify/sync';
import { customerRow } from '../../src/customers/customers.requests.ts';

/** @param header whether to begin with a header, as the first part of a file does */
export function toCsv(customers: object[], header = true): string {
  return stringify(customers, { header, columns: Object.keys(customerRow.shape) });
}

/** Writes a file of any size, part by part. */
export async function writeCsv(path: string, parts: Iterable<object[]>): Promise<void> {
  const out = createWriteStream(path);
  let header = true;
  for (const part of parts) {
    if (!out.write(toCsv(part, header))) await once(out, 'drain');
    header = false;
  }
  out.end();
  await once(out, 'finish');
}
