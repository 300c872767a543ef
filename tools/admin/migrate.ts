/** `npm run migrate`: brings the tables of every deployed database up to date. Part of `npm run deploy`. */
import { Command } from 'commander';
import { run } from '../lib/arguments.ts';
import { readConfig } from '../lib/config.ts';
import { applyMigrations, type DatabaseName } from '../lib/wrangler.ts';

await run(
  new Command('migrate').description('migrate every deployed database').action(async () => {
    for (const { binding } of readConfig().d1_databases) {
      await applyMigrations({ remote: true }, binding as DatabaseName);
      console.log(`The tables of ${binding} are up to date.`);
    }
  }),
);
