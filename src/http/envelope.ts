/** The shapes around every response: shown by the reference, and every response of a test is checked against them. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';

export const fieldError = once(() => z.strictObject({ field: z.string(), message: z.string() }));

export const errorResponse = once(() =>
  z.strictObject({
    statusCode: z.int(),
    success: z.literal(false),
    message: z.string(),
    data: z.unknown(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    docs: z.string(),
    requestId: z.string(),
    retryAfter: z.optional(z.int()),
    errors: z.array(fieldError()),
  }),
);
export type ErrorResponse = z.output<ReturnType<typeof errorResponse>>;

/** A success with this data. */
export function envelope<Data extends z.ZodMiniType>(data: Data) {
  return z.strictObject({ statusCode: z.int(), success: z.literal(true), message: z.string(), data });
}
