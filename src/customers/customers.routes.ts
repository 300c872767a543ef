/** Translates between HTTP and the rules of customers.service.ts. */
import { AppError } from '../errors.ts';
import { actorOf } from '../http/auth.ts';
import { expectedRevisions, readKnownRevisions, toEtag } from '../http/conditional.ts';
import { linkHeader } from '../http/link-header.ts';
import type { Router } from '../http/router.ts';
import {
  getCustomerOperation,
  listCustomersOperation,
  updateCustomerOperation,
} from './customers.operations.ts';
import { lookUpCustomer, readCustomers, updateCustomer, type CustomerDeps } from './customers.service.ts';
import { revisionOf } from './customers.view.ts';

/** The directives that ask for a fresh response. A browser's reload sends `max-age=0`. */
const WANTS_FRESH = /\b(no-cache|no-store|max-age=0)\b/i;

export function customerRoutes(router: Router<CustomerDeps>): void {
  router.mount(getCustomerOperation, async ({ deps, caller, query, headers }) => {
    const isKnown = readKnownRevisions(headers['If-None-Match']);
    const fresh = WANTS_FRESH.test(headers['Cache-Control'] ?? '');
    const { found, cache } = await lookUpCustomer(deps, caller, query, fresh);
    if (found === null) throw new AppError('CUSTOMER_NOT_FOUND', { headers: { 'X-Cache': cache } });
    const sent = { ETag: toEtag(found.revision), 'X-Cache': cache };
    if (isKnown(found.revision)) return { status: 304, headers: sent };
    return { data: found.customer, headers: sent };
  });

  router.mount(listCustomersOperation, async ({ context, deps, caller, query }) => {
    const { page, total, found, list } = await readCustomers(deps, caller, query);
    // The filters may be as long as a URL. The customers that they found are at most a hundred ids.
    const parameters = { ids: found, sortBy: context.req.query('sortBy'), limit: query.limit };
    const isEmpty = found?.length === 0;
    const Link = isEmpty ? undefined : await linkHeader(context.req.path, parameters, list, page);
    return { data: page.rows, headers: { Link, 'X-Total-Count': String(total) } };
  });

  router.mount(updateCustomerOperation, async ({ context, deps, body: { id, update }, headers }) => {
    const expected = expectedRevisions(headers['If-Match']);
    const row = await updateCustomer(deps, actorOf(context), id, update, expected);
    const { email, phone } = row;
    return { data: { id, email, phone }, headers: { ETag: toEtag(revisionOf(row)) } };
  });
}
