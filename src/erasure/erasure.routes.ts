/** HTTP of erasure. */
import { actorOf } from '../http/auth.ts';
import { expectedRevisions } from '../http/conditional.ts';
import { succeed } from '../http/responses.ts';
import type { Router } from '../http/router.ts';
import { eraseCustomer } from './erasure.operations.ts';
import { forgetCustomer, type ErasureDeps } from './erasure.service.ts';

export function erasureRoutes(router: Router<ErasureDeps>): void {
  router.mount(eraseCustomer, async ({ context, deps, query: { id } }) => {
    await forgetCustomer(deps, actorOf(context), id, expectedRevisions(context));
    return succeed(context, 200, 'Customer erased successfully', { id });
  });
}
