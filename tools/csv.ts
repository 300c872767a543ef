/** Customers as a bank's export has them: CSV, with the contract's names of fields. */
import { stringify } from 'csv-stringify/sync';
import { customerRow } from '../src/customers/customers.schema.ts';

/** @param header for the first part of a file; the others go on */
export function toCsv(customers: object[], header = true): string {
  return stringify(customers, { header, columns: Object.keys(customerRow.shape) });
}
