/** Links in answers. */
import type { HttpContext } from './context.ts';

/**
 * Built from the configuration and never from the request's Host header, which is the client's own text: whoever could
 * have an answer cached or shown to somebody else would choose where its links lead.
 * @param path begins with `/`
 * @returns the URL; without `PUBLIC_URL` the path alone, which is relative to the server that answered
 */
export function publicUrl({ env }: HttpContext, path: string): string {
  return (env.PUBLIC_URL ?? '').replace(/\/$/, '') + path;
}
