/** HTTP of `/health`. */
import { unavailable } from '../errors.ts';
import { respondWithData } from '../http/responses.ts';
import type { Router } from '../http/router.ts';
import type { Health } from './health.responses.ts';
import { DEPENDENCIES, getHealth } from './health.operations.ts';
import { CHECK_WITHIN_MS, findUnavailable, type HealthDeps } from './health.service.ts';

export function healthRoutes(router: Router<HealthDeps>): void {
  router.mount(getHealth, async ({ context, deps, query: { deep } }) => {
    deps.healthMemory.admitClient(context.req.header('CF-Connecting-IP') ?? '', deps.runtime.now());
    const failed = deep === undefined ? [] : await findUnavailable(deps);
    if (failed.length > 0) {
      const message = `did not answer within ${CHECK_WITHIN_MS} ms, or with an error`;
      throw unavailable(
        undefined,
        failed.map((field) => ({ field, message })),
      );
    }
    const data: Health = { checked: deep === undefined ? [] : [...DEPENDENCIES] };
    return respondWithData(context, 200, 'The service is running', data);
  });
}
