/** The route that erases a customer. */
import { actorOf } from '../http/auth.ts';
import { expectedRevisions } from '../http/conditional.ts';
import type { Router } from '../http/router.ts';
import { eraseCustomerOperation } from './erasure.operations.ts';
import { eraseCustomer, type ErasureDeps } from './erasure.service.ts';

export function erasureRoutes(router: Router<ErasureDeps>): void {
  router.mount(eraseCustomerOperation, async ({ context, deps, query: { id }, headers }) => {
    await eraseCustomer(deps, actorOf(context), id, expectedRevisions(headers['If-Match']));
    return { data: { id } };
  });
}
