/** `npm run batches -- stalled | redrive ID`: batches of which a chunk was dead-lettered, and bringing them back. */
import { Command } from 'commander';
import type { SQL } from 'drizzle-orm';
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core';
import { findStalledBatches, redriveBatch } from '../src/batches/batches.redrive.ts';
import { run, targetOf, withTarget } from './arguments.ts';
import { d1 } from './wrangler.ts';

const dialect = new SQLiteSyncDialect();
/** Wrangler takes no bound parameters, so they stand in the text, escaped by Drizzle. */
const textOf = (statement: SQL) => dialect.sqlToQuery(statement.inlineParams()).sql;

const program = new Command('batches').description('Batches that need an operator');

withTarget(program.command('stalled').description('batches that wait for a redrive')).action(
  async (options) => {
    const stalled = await d1(targetOf(options), textOf(findStalledBatches()));
    if (stalled.length === 0) console.log('No batch is stalled.');
    else console.table(stalled);
  },
);

withTarget(
  program.command('redrive').description('send what is left of a batch again').argument('<id>', 'bat_…'),
).action(async (id, options) => {
  const [redriven] = await d1(targetOf(options), redriveBatch(id, Date.now()).map(textOf).join(';\n'));
  if (redriven === undefined) throw new Error(`No batch ${id} is stalled. See: npm run batches -- stalled`);
  console.log(`Redriven ${id}. The next sweep sends it, within a minute.`);
});

await run(program);
