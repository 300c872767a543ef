/** HTTP of erasure. */
import type { Hono } from 'hono/tiny';
import { actorOf } from '../http/auth.ts';
import { expectedRevisions } from '../http/conditional.ts';
import type { HttpEnv } from '../http/context.ts';
import { succeed } from '../http/responses.ts';
import { mount } from '../http/operation.ts';
import { eraseCustomer } from './erasure.operations.ts';
import { forgetCustomer } from './erasure.service.ts';

export function erasureRoutes(app: Hono<HttpEnv>): void {
  mount(app, eraseCustomer, async (context, { query: { id } }) => {
    await forgetCustomer(context.get('deps'), actorOf(context), id, expectedRevisions(context));
    return succeed(context, 200, 'Customer erased successfully', { id });
  });
}
