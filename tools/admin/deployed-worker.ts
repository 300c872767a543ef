/** What the deployed Worker is bound to. */
import { wrangler } from '../lib/wrangler.ts';

/** Is every version that gets traffic bound to it? During a gradual deployment there are two. */
export async function isDeployed(binding: string): Promise<boolean> {
  const { versions } = JSON.parse(await wrangler(['deployments', 'status', '--json'])) as {
    versions: { version_id: string }[];
  };
  for (const { version_id: id } of versions) {
    const { resources } = JSON.parse(await wrangler(['versions', 'view', id, '--json'])) as {
      resources: { bindings: { name: string }[] };
    };
    if (!resources.bindings.some(({ name }) => name === binding)) return false;
  }
  return true;
}
