/** What tests read from a response besides its body. */
import type { ServiceResponse } from './service.ts';

/** Returns the URL that the Link header has for this relation. */
export function linkTo(
  relation: 'next' | 'prev' | 'monitor',
  { headers }: ServiceResponse,
): string | undefined {
  return new RegExp(`<([^>]+)>; rel="${relation}"`).exec(headers.get('Link') ?? '')?.[1];
}

/** Returns the body as text without the request id, which differs in every response. */
export function textWithoutRequestId({ text }: ServiceResponse): string {
  return text.replace(/req_\w+/, '');
}
