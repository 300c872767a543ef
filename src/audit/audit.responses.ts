/** What the audit log answers. The Worker takes the type alone. */
import * as z from 'zod/mini';

export const change = z.strictObject({
  at: z.iso.datetime(),
  requestId: z.string(),
  /** Null: the change did not come through the API. */
  keyId: z.nullable(z.string()),
  action: z.string(),
  /** A customer's id, or a batch's. */
  subject: z.string(),
  /** Names of fields; never their values. */
  fields: z.array(z.string()),
});
export type Change = z.output<typeof change>;
