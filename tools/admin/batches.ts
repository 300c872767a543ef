/**
 * `npm run batches -- stalled | redrive ID | redrive --bank ID`: lists batches with a dead-lettered chunk, and sends
 * their remaining chunks again.
 */
import { Command } from 'commander';
import { selectStalledBatches, redriveBank, redriveBatch } from '../../src/batches/process/redrive.store.ts';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { textOf } from '../lib/sql.ts';
import { d1 } from '../lib/wrangler.ts';

const program = new Command('batches').description('Batches that need an operator');

withTarget(program.command('stalled').description('list batches that need a redrive')).action(
  async (options) => {
    const stalled = await d1(targetOf(options), textOf([selectStalledBatches()]));
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
  const redriven = await d1<{ id: string }>(targetOf(options), textOf(statements));
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
