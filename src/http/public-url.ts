/** Links in responses. */
import type { HttpContext } from './context.ts';

/**
 * Built from the configuration and never from the request's Host header, which the client chooses: an attacker whose
 * response is cached or shown to somebody else would decide where its links lead.
 * @param path begins with `/`
 * @returns the URL; without `PUBLIC_URL` only the path, which is relative to the server that answered
 */
export function publicUrl({ env }: HttpContext, path: string): string {
  return (env.PUBLIC_URL ?? '').replace(/\/$/, '') + path;
}
