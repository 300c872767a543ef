/** Operations whose requests name phrases or emails: unknown ones count against the API key's misses. */
import { AppError, ERRORS } from '../errors.ts';
import type { HttpContext } from './context.ts';
import type { RateLimitClass } from '../rate-limits/rate-limits.ts';
import type { Guesses, Success } from './operation.ts';

/**
 * Runs a handler and counts the misses that its outcome reveals.
 * @returns what the handler returned
 * @throws what the handler threw; or RATE_LIMITED, instead of any outcome that would reveal more misses than are left
 */
export async function countMisses<Response extends Success>(
  context: HttpContext,
  rateLimitClass: RateLimitClass,
  guesses: Guesses,
  query: unknown,
  handle: () => Promise<Response>,
): Promise<Response> {
  const names = guesses.names(query);
  const { apiKeyId } = context.get('caller');
  const outcome = await context.get('deps').rateLimits.guess(
    { headers: context.get('headers'), apiKeyId, rateLimitClass, names },
    () => handle().catch(toClientError),
    (known) => {
      if (known instanceof AppError) return statusOf(known) === 404 ? names : 0;
      return guesses.misses(names, known);
    },
  );
  if (outcome instanceof AppError) throw outcome;
  return outcome;
}

/** An error that tells the client something is an outcome like a success. A failure of the service tells nothing. */
function toClientError(thrown: unknown): AppError {
  if (thrown instanceof AppError && statusOf(thrown) < 500 && !refusesCaller(thrown)) return thrown;
  throw thrown;
}

/** Is it about the API key, whatever the request names? */
function refusesCaller({ code }: AppError): boolean {
  return code === 'UNAUTHENTICATED' || code === 'FORBIDDEN';
}

function statusOf({ code }: AppError): number {
  return ERRORS[code].status;
}
