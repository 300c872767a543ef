/** Pages of lists: the envelope, and the RFC 8288 `Link` header that hands out the neighbouring pages. */
import { LIMITS } from '../limits.ts';
import { encodeCursor, type List, type Page, type Position } from '../paging/cursor.ts';
import type { HttpContext } from './context.ts';
import { respondWithData } from './responses.ts';

/**
 * Bytes of a `Link` header. Clients and proxies take 8 KB of headers, some no more: a kilobyte is left for the others,
 * ours and those that Cloudflare adds.
 */
const MAX_LINK_BYTES = 7 * 1024;

/**
 * What a list was asked for, but for the place in it: as it was understood, not as it was sent, which may be longer
 * without saying more.
 */
export interface ListParameters {
  limit: number;
  [name: string]: string | number | string[] | undefined;
}

export async function respondWithPage(
  context: HttpContext,
  parameters: ListParameters,
  { page, list }: { page: Page<unknown>; list: List },
): Promise<Response> {
  await setLinkHeader(context, parameters, list, page);
  return respondWithData(context, 200, 'List retrieved successfully', page.rows);
}

/** Names the neighbouring pages, those first that a client can't do without: what does not fit is left out. */
export async function setLinkHeader(
  context: HttpContext,
  parameters: ListParameters,
  list: List,
  page: Page<unknown>,
): Promise<void> {
  const linkTo = async (relation: string, position?: Position) => {
    const query = toQuery(parameters);
    // A cursor is base64url, which stands in an address as it is.
    if (position !== undefined) query.push(`cursor=${await encodeCursor(list, position)}`);
    const address = query.length === 0 ? context.req.path : `${context.req.path}?${query.join('&')}`;
    return `<${address}>; rel="${relation}"`;
  };
  const links: string[] = [];
  if (page.next) links.push(await linkTo('next', page.next));
  if (page.previous) links.push(await linkTo('prev', page.previous));
  links.push(await linkTo('first'));
  let header = '';
  for (const link of links) {
    const longer = header === '' ? link : `${header}, ${link}`;
    if (longer.length <= MAX_LINK_BYTES) header = longer;
  }
  context.get('headers')['Link'] = header;
}

function toQuery({ limit, ...parameters }: ListParameters): string[] {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  if (limit !== LIMITS.defaultPageRows) given.push(['limit', limit]);
  return given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
}
