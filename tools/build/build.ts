/**
 * `npm run build`, which wrangler runs too before it serves or deploys (`[build]` in wrangler.toml): the pages, and
 * what the code must know of wrangler.toml. When somebody runs wrangler by hand, it also makes the local database that
 * `npx wrangler dev` needs, and stops a first `npx wrangler deploy`, which would create a D1 database in a place that
 * nobody chose and that can't be changed.
 */
import { existsSync } from 'node:fs';
import { readConfig } from '../lib/config.ts';
import { dataFolderOf, prepareLocalDatabase } from '../dev/local-database.ts';
import { writeRateLimits } from './rate-limits.ts';
import { buildSite } from './site.ts';

// The first is wrangler's; the second says that one of our own commands runs it, which knows better.
const { WRANGLER_COMMAND, PEERE_COMMAND } = process.env;

if (PEERE_COMMAND === undefined && WRANGLER_COMMAND === 'dev') {
  if (!existsSync(dataFolderOf())) await prepareLocalDatabase();
} else if (PEERE_COMMAND === undefined && WRANGLER_COMMAND !== undefined) {
  if (readConfig().d1_databases.some(({ database_id: id }) => id === undefined)) {
    console.error('There is no deployed database yet: run npm run deploy:first.');
    process.exit(1);
  }
}
await writeRateLimits();
await buildSite();
