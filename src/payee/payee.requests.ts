/** The shape of the payer's question. */
import * as z from 'zod/mini';

/** Any text: one that is no phrase must get the same response as an unknown phrase. */
export const payeeLookup = z.strictObject({ phrase: z.string('must be given once') });
