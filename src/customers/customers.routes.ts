/** HTTP of a single customer and of the list. Translates; the rules are in customers.service.ts. */
import { AppError } from '../errors.ts';
import { actorOf } from '../http/auth.ts';
import { expectedRevisions, matchesIfNoneMatch, setEtag } from '../http/conditional.ts';
import { respond, respondWithData } from '../http/responses.ts';
import type { Router } from '../http/router.ts';
import { setLinkHeader } from '../http/link-header.ts';
import { getCustomer, listCustomers, updateCustomerOperation } from './customers.operations.ts';
import { revisionOf } from './customers.view.ts';
import { updateCustomer, readCustomers, lookUpCustomer, type CustomerDeps } from './customers.service.ts';

/** Only the directives that ask for a fresh answer; `max-age=0` is what a browser's reload sends. */
const WANTS_FRESH = /\b(no-cache|no-store|max-age=0)\b/i;

export function customerRoutes(router: Router<CustomerDeps>): void {
  router.mount(getCustomer, async ({ context, deps, caller, query }) => {
    const fresh = WANTS_FRESH.test(context.req.header('Cache-Control') ?? '');
    const guessed = query.email !== undefined || query.phrase !== undefined ? 1 : 0;
    const { found, cache } = await deps.rateLimits.guess(
      caller.apiKeyId,
      guessed,
      () => lookUpCustomer(deps, caller, query, fresh),
      (result) => (result.found === null ? 1 : 0),
    );
    context.get('headers')['X-Cache'] = cache;
    if (found === null) throw new AppError('CUSTOMER_NOT_FOUND');
    setEtag(context, found.revision);
    if (matchesIfNoneMatch(context, found.revision)) return respond(context, 304);
    return respondWithData(context, 200, 'Customer retrieved successfully', found.customer);
  });

  // The contract answers this one without the envelope: a bare array. Paging is in the headers.
  router.mount(listCustomers, async ({ context, deps, caller, query }) => {
    const guessed = query.phrases?.length ?? 0;
    const { page, total, found, list } = await deps.rateLimits.guess(
      caller.apiKeyId,
      guessed,
      () => readCustomers(deps, caller, query),
      (result) => Math.max(guessed - result.total, 0),
    );
    const headers = context.get('headers');
    headers['X-Total-Count'] = String(total);
    // Filters may be as long as an address; the customers that they found are at most a hundred ids.
    const parameters = { ids: found, sortBy: context.req.query('sortBy'), limit: query.limit };
    if (found?.length !== 0) await setLinkHeader(context, parameters, list, page);
    return respond(context, 200, page.rows);
  });

  router.mount(updateCustomerOperation, async ({ context, deps, body: { id, update } }) => {
    const expected = expectedRevisions(context);
    const row = await updateCustomer(deps, actorOf(context), id, update, expected);
    setEtag(context, revisionOf(row));
    const { email, phone } = row;
    return respondWithData(context, 200, 'Customer updated successfully', { id, email, phone });
  });
}
