/**
 * `npm run batches -- stalled | redrive ID | redrive --bank ID`: batches of which a chunk was dead-lettered, and
 * bringing them back.
 */
import { Command } from 'commander';
import { selectStalledBatches, redriveBank, redriveBatch } from '../../src/batches/process/redrive.store.ts';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { textOf } from '../lib/sql.ts';
import { d1 } from '../lib/wrangler.ts';

const program = new Command('batches').description('Batches that need an operator');

withTarget(program.command('stalled').description('batches that wait for a redrive')).action(
  async (options) => {
    const stalled = await d1(targetOf(options), textOf([selectStalledBatches()]));
    if (stalled.length === 0) console.log('No batch is stalled.');
    else console.table(stalled);
  },
);

withTarget(
  program
    .command('redrive')
    .description('send what is left of a stalled batch again, or of every stalled batch of a bank')
    .argument('[id]', 'bat_…')
    .option('--bank <id>', 'bnk_…'),
).action(async (id, { bank, ...options }) => {
  if ((id === undefined) === (bank === undefined)) {
    throw new Error('Name one batch, or a bank with --bank. See: npm run batches -- stalled');
  }
  const statements = bank === undefined ? redriveBatch(id, Date.now()) : redriveBank(bank, Date.now());
  const redriven = await d1<{ id: string }>(targetOf(options), textOf(statements));
  if (redriven.length === 0) {
    throw new Error(
      `No batch ${bank === undefined ? id : `of ${bank}`} is stalled. See: npm run batches -- stalled`,
    );
  }
  console.log(
    `Redriven ${redriven.map((batch) => batch.id).join(', ')}. The next sweep sends them, within a minute.`,
  );
});

await run(program);
