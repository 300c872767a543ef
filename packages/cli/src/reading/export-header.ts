/** Recognises the CSV files that an export writes: their formulas are escaped, as in the files that an import writes. */
import { CUSTOMER_FIELDS } from '@peere/client';

const EXPORTED = Object.keys(CUSTOMER_FIELDS).join();

/** @param headers of a file with every field; one without emails can't be compared with anything */
export function isExport(headers: string[]): boolean {
  return headers.join() === EXPORTED;
}
