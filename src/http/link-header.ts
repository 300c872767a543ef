/** Pages of lists, and the RFC 8288 `Link` header that names the neighbouring pages. */
import { LIMITS } from '../limits.ts';
import { encodeCursor, type List, type Page, type Position } from '../paging/cursor.ts';

/**
 * Bytes of a `Link` header. Many clients and proxies accept 8 KB of headers and no more: 1,192 bytes are left for
 * the other headers, ours and those that Cloudflare adds.
 */
const MAX_LINK_BYTES = 7_000;

/**
 * The parameters of a list, without its cursor and page number: as they were understood, because they may have been
 * sent in a longer form that says no more.
 */
export interface ListParameters {
  limit: number;
  [name: string]: string | number | string[] | undefined;
}

/**
 * @param path of the list, as it was requested
 * @returns what the handler of a list returns
 */
export async function toPageResponse<Row>(
  path: string,
  parameters: ListParameters,
  { page, list }: { page: Page<Row>; list: List },
): Promise<{ data: Row[]; headers: { Link: string } }> {
  return { data: page.rows, headers: { Link: await linkHeader(path, parameters, list, page) } };
}

/** Links to the neighbouring pages, the most important ones first. Links that do not fit are left out. */
export async function linkHeader(
  path: string,
  parameters: ListParameters,
  list: List,
  page: Page<unknown>,
): Promise<string> {
  const linkTo = async (relation: string, position?: Position) => {
    const query = toQuery(parameters);
    // A cursor is base64url, which needs no escaping in a URL.
    if (position !== undefined) query.push(`cursor=${await encodeCursor(list, position)}`);
    const url = query.length === 0 ? path : `${path}?${query.join('&')}`;
    return `<${url}>; rel="${relation}"`;
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
  return header;
}

/**
 * One link, to where the reader of a growing list goes on.
 * @param relation `next`: there is more already. `monitor` (RFC 5989): more may come.
 */
export function continuationLink(
  path: string,
  parameters: ListParameters,
  relation: 'next' | 'monitor',
): string {
  return `<${path}?${toQuery(parameters).join('&')}>; rel="${relation}"`;
}

function toQuery({ limit, ...parameters }: ListParameters): string[] {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  if (limit !== LIMITS.defaultPageRows) given.push(['limit', limit]);
  return given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
}
