/** The contract's Standard fields: what every read shows of a customer, and all that ever lies in KV of one. */
import * as z from 'zod/mini';
import { GENDERS } from '../db/schema.ts';

export const standardCustomer = z.strictObject({
  id: z.string(),
  accountName: z.string(),
  gender: z.nullable(z.enum(GENDERS)),
  displayPicture: z.nullable(z.string()),
  bankId: z.string(),
  phrase: z.string(),
  country: z.string(),
});
export type StandardCustomer = z.output<typeof standardCustomer>;
