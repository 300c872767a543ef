/** The route of the payer's question. */
import { AppError } from '../errors.ts';
import type { Router } from '../http/router.ts';
import { resolvePayeeOperation } from './payee.operations.ts';
import { resolvePayee, type PayeeDeps } from './payee.service.ts';

export function payeeRoutes(router: Router<PayeeDeps>): void {
  router.mount(resolvePayeeOperation, async ({ deps, caller, query }) => {
    const { payee, cache } = await resolvePayee(deps, caller, query.phrase);
    // Without X-Cache: nothing but the request id tells one 404 from another.
    if (payee === null) throw new AppError('PAYEE_NOT_FOUND');
    return { data: payee, headers: { 'X-Cache': cache } };
  });
}
