/** The responses about the audit log. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';

export const change = once(() =>
  z.strictObject({
    at: z.iso.datetime(),
    requestId: z.string(),
    /** Null: the change() was not made through the API. */
    keyId: z.nullable(z.string()),
    action: z.string(),
    /** A customer's id, or a batch's. */
    subject: z.string(),
    /** Names of fields; never their values. */
    fields: z.array(z.string()),
  }),
);
export type Change = z.output<ReturnType<typeof change>>;
