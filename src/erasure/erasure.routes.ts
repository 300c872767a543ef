/** HTTP of erasure. */
import { actorOf } from '../http/auth.ts';
import { expectedRevisions } from '../http/conditional.ts';
import { respondWithData } from '../http/responses.ts';
import type { Router } from '../http/router.ts';
import { eraseCustomerOperation } from './erasure.operations.ts';
import { eraseCustomer, type ErasureDeps } from './erasure.service.ts';

export function erasureRoutes(router: Router<ErasureDeps>): void {
  router.mount(eraseCustomerOperation, async ({ context, deps, query: { id } }) => {
    await eraseCustomer(deps, actorOf(context), id, expectedRevisions(context));
    return respondWithData(context, 200, 'Customer erased successfully', { id });
  });
}
