/**
 * `npm run batches -- stalled | redrive ID | redrive --bank ID`: lists batches with a dead-lettered chunk, and sends
 * their remaining chunks again.
 */
import { Command } from 'commander';
import { selectStalledBatches, redriveBank, redriveBatch } from '../../src/batches/process/redrive.store.ts';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { textOf } from '../lib/sql.ts';
import { d1, listShards, type Target } from '../lib/wrangler.ts';

/** Runs statements on every shard. @returns the rows of the last one, of all shards */
async function onEveryShard<Row>(target: Target, statements: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shard of await listShards(target)) rows.push(...(await d1<Row>(target, shard, statements)));
  return rows;
}

const program = new Command('batches').description('Batches that need an operator');

withTarget(program.command('stalled').description('list batches that need a redrive')).action(
  async (options) => {
    const stalled = await onEveryShard(targetOf(options), textOf([selectStalledBatches()]));
    if (stalled.length === 0) console.log('No batch is stalled.');
    else console.table(stalled);
  },
);

withTarget(
  program
    .command('redrive')
    .description('send the remaining chunks of a stalled batch again, or of every stalled batch of a bank')
    .argument('[id]', 'bat_…')
    .option('--bank <id>', 'bnk_…'),
).action(async (id, { bank, ...options }) => {
  if ((id === undefined) === (bank === undefined)) {
    throw new Error('Name one batch, or a bank with --bank. List them with: npm run batches -- stalled');
  }
  const statements = bank === undefined ? redriveBatch(id, Date.now()) : redriveBank(bank, Date.now());
  const redriven = await onEveryShard<{ id: string }>(targetOf(options), textOf(statements));
  if (redriven.length === 0) {
    throw new Error(
      `No batch ${bank === undefined ? id : `of ${bank}`} is stalled. List them with: npm run batches -- stalled`,
    );
  }
  console.log(
    `Redriven ${redriven.map((batch) => batch.id).join(', ')}. The next sweep sends their chunks, within a minute.`,
  );
});

await run(program);
