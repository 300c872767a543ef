/** The response to an erasure. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';

export const erasedCustomer = once(() => z.strictObject({ id: z.string() }));
