/** The Standard fields: what every read shows of a customer, and the only ones that are written to KV. */
import * as z from 'zod/mini';
import { shownShape } from './shown-shape.ts';
import { STANDARD_FIELDS } from './fields.ts';

export const standardCustomer = z.strictObject(shownShape(STANDARD_FIELDS));
export type StandardCustomer = z.output<typeof standardCustomer>;
