/** The route of `/health`. */
import { unavailable } from '../errors.ts';
import type { Router } from '../http/router.ts';
import { getHealthOperation } from './health.operations.ts';
import { CHECK_WITHIN_MS, checkDependencies, type HealthDeps } from './health.service.ts';

export function healthRoutes(router: Router<HealthDeps>): void {
  router.mount(getHealthOperation, async ({ context, deps, query: { deep } }) => {
    deps.healthMemory.admitClient(context.req.header('CF-Connecting-IP') ?? '', deps.runtime.now());
    if (deep === undefined) return { data: { checked: [] } };
    const { checked, failed } = await checkDependencies(deps);
    if (failed.length > 0) {
      const message = `did not answer within ${CHECK_WITHIN_MS} ms, or with an error`;
      throw unavailable(
        undefined,
        failed.map((field) => ({ field, message })),
      );
    }
    return { data: { checked } };
  });
}
