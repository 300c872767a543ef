/** What `/health` answers. The Worker takes the type alone. */
import * as z from 'zod/mini';
import { DEPENDENCIES } from './health.operations.ts';

export const health = z.strictObject({
  /** What was asked, and answered; nothing without `deep`. */
  checked: z.array(z.enum(DEPENDENCIES)),
});
export type Health = z.output<typeof health>;
