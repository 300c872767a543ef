/** `npm run bundle`: builds what would be deployed, deploys nothing, and holds its size and startup to their budgets. */
import { wrangler } from '../lib/wrangler.ts';

/** KiB, gzipped, as wrangler counts. A Worker may have 10 MB; a small one starts sooner. */
const BUDGET_KIB = 128;
/** Milliseconds of CPU from nothing to ready, on this machine. The platform allows 1,000. */
const STARTUP_MS = 50;

const output = await wrangler(['deploy', '--dry-run', '--outdir', '.wrangler/bundle']);
const size = Number(/gzip: ([\d.]+) KiB/.exec(output)?.[1]);
console.log(`Bundle: ${size} KiB gzipped, of ${BUDGET_KIB}.`);
if (!(size <= BUDGET_KIB)) {
  console.error('The bundle is over its budget. See what came in: .wrangler/bundle/worker.js');
  process.exit(1);
}

const started = await wrangler(['check', 'startup', '--outfile', '.wrangler/startup.cpuprofile']);
const active = Number(/Active: ([\d.]+) ms/.exec(started)?.[1]);
console.log(`Startup: ${active} ms of CPU, of ${STARTUP_MS}.`);
if (!(active <= STARTUP_MS)) {
  console.error('The startup is over its budget. See what takes so long: .wrangler/startup.cpuprofile');
  process.exit(1);
}
