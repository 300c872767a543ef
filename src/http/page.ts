/** Pages of lists: the envelope, and the RFC 8288 `Link` header that hands out the neighbouring pages. */
import { encodeCursor, type List, type Page } from '../lib/paging.ts';
import type { HttpContext } from './context.ts';
import { succeed } from './envelope.ts';

export async function answerPage(
  context: HttpContext,
  { page, list }: { page: Page<unknown>; list: List },
): Promise<Response> {
  context.get('headers')['Link'] = await linkHeader(context.req.url, list, page);
  return succeed(context, 200, 'List retrieved successfully', page.rows);
}

/** The request's own address, at the cursors of the neighbouring pages. */
export async function linkHeader(url: string, list: List, page: Page<unknown>): Promise<string> {
  const address = new URL(url);
  address.searchParams.delete('page');
  address.searchParams.delete('cursor');
  const first = address.pathname + address.search;
  // A cursor is base64url, which stands in an address as it is.
  const cursorAt = `${first}${address.search === '' ? '?' : '&'}cursor=`;
  const links = [`<${first}>; rel="first"`];
  if (page.previous) links.push(`<${cursorAt}${await encodeCursor(list, page.previous)}>; rel="prev"`);
  if (page.next) links.push(`<${cursorAt}${await encodeCursor(list, page.next)}>; rel="next"`);
  return links.join(', ');
}
