/** The response to an erasure. */
import * as z from 'zod/mini';

export const erasedCustomer = z.strictObject({ id: z.string() });
