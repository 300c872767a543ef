/** The response of `/health`. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';

export const health = once(() =>
  z.strictObject({
    /** What was checked and works: the directory, each shard, the cache and the queue. Empty without `deep`. */
    checked: z.array(z.string()),
  }),
);
