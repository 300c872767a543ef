/** HTTP of erasure. */
import type { Hono } from 'hono/tiny';
import * as z from 'zod/mini';
import { actorOf, requireKey } from '../http/auth.ts';
import { expectedRevisions } from '../http/conditional.ts';
import type { HttpEnv } from '../http/context.ts';
import { succeed } from '../http/envelope.ts';
import { validQuery } from '../http/input.ts';
import { MOST_ID, once } from '../lib/parameters.ts';
import { forgetCustomer } from './erasure.service.ts';

const customerErasure = z.strictObject({ id: once(MOST_ID) });

export function erasureRoutes(app: Hono<HttpEnv>): void {
  app.delete(
    '/v1/bank/customer',
    requireKey('changes', 'customers:erase'),
    validQuery(customerErasure),
    async (context) => {
      const { id } = context.req.valid('query');
      await forgetCustomer(context.get('deps'), actorOf(context), id, expectedRevisions(context));
      return succeed(context, 200, 'Customer erased successfully', { id });
    },
  );
}
