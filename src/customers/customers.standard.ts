/** The Standard fields: what every read of a bank's own customers shows, and the only ones that are cached. */
import * as z from 'zod/mini';
import { shownShape } from './shown-shape.ts';
import { STANDARD_FIELDS, type StandardField } from './fields.ts';

export const standardCustomer = z.strictObject(shownShape(STANDARD_FIELDS));
export type StandardCustomer = z.output<typeof standardCustomer>;

/** What another bank may know of a customer, given the phrase. */
const PAYEE_FIELDS = [
  'phrase',
  'accountName',
  'displayPicture',
  'bankId',
  'country',
] as const satisfies readonly StandardField[];

export const payee = z.strictObject(shownShape(PAYEE_FIELDS));
export type Payee = z.output<typeof payee>;
