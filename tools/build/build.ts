/**
 * `npm run build`, which wrangler also runs before it serves or deploys (`[build]` in wrangler.toml): generates the pages
 * and copies the rate limits from wrangler.toml. If wrangler was started by hand, it also creates the local database that
 * `npx wrangler dev` needs, and stops a first `npx wrangler deploy`, which would create a D1 database in a location that
 * nobody chose and nobody can change.
 */
import { existsSync } from 'node:fs';
import { readConfig } from '../lib/config.ts';
import { prepareLocalDatabase } from '../dev/local-database.ts';
import { dataFolderOf } from '../lib/local-d1.ts';
import { stateFolderOf } from '../lib/wrangler.ts';
import { writeRateLimits } from './rate-limits.ts';
import { buildSite } from './site.ts';

// wrangler sets the first. The second is set if one of our own commands runs wrangler, which prepares everything itself.
const { WRANGLER_COMMAND, PEERE_COMMAND } = process.env;

if (PEERE_COMMAND === undefined && WRANGLER_COMMAND === 'dev') {
  if (!existsSync(dataFolderOf(stateFolderOf({})))) await prepareLocalDatabase();
} else if (PEERE_COMMAND === undefined && WRANGLER_COMMAND !== undefined) {
  if (readConfig().d1_databases.some(({ database_id: id }) => id === undefined)) {
    console.error('There is no deployed database yet: run npm run deploy:first.');
    process.exit(1);
  }
}
await writeRateLimits();
await buildSite();
