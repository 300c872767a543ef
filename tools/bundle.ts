/** `npm run bundle`: builds what would be deployed, deploys nothing, and holds its size against the budget. */
import { wrangler } from './wrangler.ts';

/** KiB, gzipped, as wrangler counts. A Worker may have 10 MB; a small one starts sooner. */
const BUDGET_KIB = 80;

const output = await wrangler(['deploy', '--dry-run', '--env', 'production', '--outdir', '.wrangler/bundle']);
const size = Number(/gzip: ([\d.]+) KiB/.exec(output)?.[1]);
console.log(`Bundle: ${size} KiB gzipped, of ${BUDGET_KIB}.`);
if (!(size <= BUDGET_KIB)) {
  console.error('The bundle is over its budget. See what came in: .wrangler/bundle/worker.js');
  process.exit(1);
}
