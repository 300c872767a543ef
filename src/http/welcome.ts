/** Pages for people at addresses that programs use too. They need no API key and show nothing that needs one. */
import type { HttpContext } from './context.ts';
import { AppError } from '../errors.ts';
import { publicUrl } from './public-url.ts';
import { respondWithData, respondWithError } from './responses.ts';

const isForPeople = (context: HttpContext) => /\btext\/html\b/i.test(context.req.header('Accept') ?? '');

/** The index `/`: a page for people, links for programs. */
export async function serveIndex(context: HttpContext): Promise<Response> {
  if (isForPeople(context)) {
    const page = await context.env.ASSETS.fetch(context.req.raw);
    return new Response(page.body, page);
  }
  context.get('headers')['Vary'] = 'Accept';
  return respondWithData(context, 200, 'Given a phrase, who is this?', {
    reference: publicUrl(context, '/docs'),
    openapi: publicUrl(context, '/openapi.json'),
    errors: publicUrl(context, '/errors'),
    console: publicUrl(context, '/console'),
    customer: publicUrl(context, '/v1/bank/customer{?phrase,id,email}'),
    customers: publicUrl(context, '/v1/bank/customers'),
  });
}

/** There is nothing at this path: a page for people, the error for programs and below the API's own path. */
export async function serveNotFound(context: HttpContext): Promise<Response> {
  if (!isForPeople(context) || context.req.path.startsWith('/v1/')) {
    return respondWithError(context, new AppError('ROUTE_NOT_FOUND'));
  }
  const page = await context.env.ASSETS.fetch(new URL('/404', context.req.url));
  return new Response(page.body, { status: 404, headers: page.headers });
}
