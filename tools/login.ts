/**
 * What `npm run deploy` begins with: says in one sentence that nobody is logged in. An API token is not looked at, since
 * one that may deploy and nothing else can't ask whose it is.
 */
import { Command } from 'commander';
import { run } from './arguments.ts';
import { wrangler } from './wrangler.ts';

await run(
  new Command('deploy').description('is somebody logged in to Cloudflare?').action(async () => {
    if (process.env['CLOUDFLARE_API_TOKEN'] === undefined) await wrangler(['whoami', '--json']);
  }),
);
