/** The index `/`: a page for people, links for programs. Needs no API key and shows nothing that needs one. */
import type { HttpContext } from './context.ts';
import { respondWithData } from './responses.ts';
import { publicUrl } from './public-url.ts';

export async function serveIndex(context: HttpContext): Promise<Response> {
  if (/\btext\/html\b/i.test(context.req.header('Accept') ?? '')) {
    const page = await context.env.ASSETS.fetch(context.req.raw);
    return new Response(page.body, page);
  }
  context.get('headers')['Vary'] = 'Accept';
  return respondWithData(context, 200, 'Given a phrase, who is this?', {
    reference: publicUrl(context, '/docs'),
    openapi: publicUrl(context, '/openapi.json'),
    errors: publicUrl(context, '/errors'),
    customer: publicUrl(context, '/v1/bank/customer{?phrase,id,email}'),
    customers: publicUrl(context, '/v1/bank/customers'),
  });
}
