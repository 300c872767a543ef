/** The address `/`: a page for people, links for programs. No key is asked for, and nothing is told that needs one. */
import type { HttpContext } from './context.ts';
import { succeed } from './envelope.ts';

export async function welcome(context: HttpContext): Promise<Response> {
  if (/\btext\/html\b/i.test(context.req.header('Accept') ?? '')) {
    const page = await context.env.ASSETS.fetch(context.req.raw);
    return new Response(page.body, page);
  }
  const { origin } = new URL(context.req.url);
  context.get('headers')['Vary'] = 'Accept';
  return succeed(context, 200, 'Given a phrase, who is this?', {
    reference: `${origin}/docs`,
    openapi: `${origin}/openapi.json`,
    errors: `${origin}/errors`,
    customer: `${origin}/v1/bank/customer{?phrase,id,email}`,
    customers: `${origin}/v1/bank/customers`,
  });
}
