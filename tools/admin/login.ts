/**
 * First step of `npm run deploy`: says in one sentence if nobody is logged in. An API token is not checked, because one
 * that may only deploy can't ask whose it is.
 */
import { Command } from 'commander';
import { run } from '../lib/arguments.ts';
import { wrangler } from '../lib/wrangler.ts';

await run(
  new Command('deploy').description('check that somebody is logged in to Cloudflare').action(async () => {
    if (process.env['CLOUDFLARE_API_TOKEN'] === undefined) await wrangler(['whoami', '--json']);
  }),
);
