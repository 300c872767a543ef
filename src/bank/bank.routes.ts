/** The route that says who is calling. */
import type { Router } from '../http/router.ts';
import { getBankOperation } from './bank.operations.ts';
import { describeCaller, type BankDeps } from './bank.service.ts';

export function bankRoutes(router: Router<BankDeps>): void {
  router.mount(getBankOperation, async ({ deps, caller }) => ({ data: await describeCaller(deps, caller) }));
}
