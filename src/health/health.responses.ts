/** The response of `/health`. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';

/** What the service cannot work without. */
export const DEPENDENCIES = ['database', 'cache', 'queue'] as const;
export type Dependency = (typeof DEPENDENCIES)[number];

export const health = once(() =>
  z.strictObject({
    /** The dependencies that were checked and work. Empty without `deep`. */
    checked: z.array(z.enum(DEPENDENCIES)),
  }),
);
