/**
 * `npm run migrate`: brings the tables of the directory and of every shard up to date. Part of `npm run deploy`. If it stops
 * on the way, nothing is deployed, and it continues when it is run again.
 */
import { Command } from 'commander';
import { run } from '../lib/arguments.ts';
import { boundShards } from '../lib/config.ts';
import { applyRemoteMigrations } from '../lib/migrations.ts';
import { listShards } from '../lib/wrangler.ts';

const REMOTE = { remote: true as const };

await run(
  new Command('migrate').description('migrate every deployed database').action(async () => {
    await applyRemoteMigrations('DIRECTORY');
    const bound = boundShards();
    const unbound = (await listShards(REMOTE)).filter((shard) => !bound.includes(shard));
    if (unbound.length > 0) {
      throw new Error(
        `wrangler.toml lacks ${unbound.join(', ')}, and a deploy would cut off the banks there: take it from the commit that added it, or run npm run shard -- add --name ${unbound[0]} --remote`,
      );
    }
    for (const shard of bound) await applyRemoteMigrations(shard);
    console.log(`The tables of DIRECTORY, ${bound.join(', ')} are up to date.`);
  }),
);
