/** What the deployed Worker is bound to. */
import { wrangler } from '../lib/wrangler.ts';

/** @throws if the version that gets the traffic lacks a binding */
export async function assertIsDeployed(binding: string): Promise<void> {
  const { versions } = JSON.parse(await wrangler(['deployments', 'status', '--json'])) as {
    versions: { version_id: string }[];
  };
  for (const { version_id: id } of versions) {
    const { resources } = JSON.parse(await wrangler(['versions', 'view', id, '--json'])) as {
      resources: { bindings: { name: string }[] };
    };
    if (!resources.bindings.some(({ name }) => name === binding)) {
      throw new Error(`The deployed Worker is not bound to ${binding} yet: run npm run deploy first.`);
    }
  }
}
