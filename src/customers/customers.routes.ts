/** HTTP of a single customer and of the list. Translates; the rules are in customers.service.ts. */
import type { Hono } from 'hono/tiny';
import { AppError } from '../errors.ts';
import { actorOf } from '../http/auth.ts';
import { expectedRevisions, knownRevisions, setEtag } from '../http/conditional.ts';
import type { HttpEnv } from '../http/context.ts';
import { answer, succeed } from '../http/envelope.ts';
import { mount } from '../http/operation.ts';
import { setLink } from '../http/page.ts';
import { getCustomer, listCustomers, updateCustomer } from './customers.operations.ts';
import { revisionOf } from './customers.view.ts';
import { changeCustomer, listCustomersOf, lookUpCustomer } from './customers.service.ts';

/** Only the directives that ask for a fresh answer; `max-age=0` is what a browser's reload sends. */
const WANTS_FRESH = /\b(no-cache|no-store|max-age=0)\b/i;

export function customerRoutes(app: Hono<HttpEnv>): void {
  mount(app, getCustomer, async (context, { query }) => {
    const isKnown = knownRevisions(context);
    const fresh = WANTS_FRESH.test(context.req.header('Cache-Control') ?? '');
    const [deps, caller] = [context.get('deps'), context.get('caller')];
    const guessed = query.email !== undefined || query.phrase !== undefined ? 1 : 0;
    const { found, cache } = await deps.rateLimits.guess(
      context,
      caller.keyId,
      guessed,
      () => lookUpCustomer(deps, caller, query, fresh),
      (result) => (result.found === null ? 1 : 0),
    );
    context.get('headers')['X-Cache'] = cache;
    if (found === null) throw new AppError('CUSTOMER_NOT_FOUND');
    setEtag(context, found.revision);
    if (isKnown(found.revision)) return answer(context, 304);
    return succeed(context, 200, 'Customer retrieved successfully', found.customer);
  });

  // The contract answers this one without the envelope: a bare array. Paging is in the headers.
  mount(app, listCustomers, async (context, { query }) => {
    const [deps, caller] = [context.get('deps'), context.get('caller')];
    const guessed = query.phrases?.length ?? 0;
    const { page, total, found, list } = await deps.rateLimits.guess(
      context,
      caller.keyId,
      guessed,
      () => listCustomersOf(deps, caller, query),
      (result) => Math.max(guessed - result.total, 0),
    );
    const headers = context.get('headers');
    headers['X-Total-Count'] = String(total);
    // Filters may be as long as an address; the customers that they found are at most a hundred ids.
    const parameters = { ids: found, sortBy: context.req.query('sortBy'), limit: query.limit };
    if (found?.length !== 0) await setLink(context, parameters, list, page);
    return answer(context, 200, page.rows);
  });

  mount(app, updateCustomer, async (context, { body: { id, update } }) => {
    const expected = expectedRevisions(context);
    const row = await changeCustomer(context.get('deps'), actorOf(context), id, update, expected);
    setEtag(context, revisionOf(row));
    const { email, phone } = row;
    return succeed(context, 200, 'Customer updated successfully', { id, email, phone });
  });
}
