/** `npm run bank -- create | list`: the banks of the service. */
import { Command } from 'commander';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { d1, sqlText } from '../lib/wrangler.ts';

const program = new Command('bank').description('The banks of this service');

withTarget(
  program
    .command('create')
    .description('add a bank')
    .requiredOption('--id <id>', 'bnk_ and 2 to 40 of a-z, 0-9 and _')
    .requiredOption('--name <text>', 'name of the bank for people'),
).action(async (options) => {
  if (!/^bnk_[a-z0-9_]{2,40}$/.test(options.id)) {
    throw new Error('--id must be bnk_ and 2 to 40 of a-z, 0-9 and _, such as bnk_first_lagos.');
  }
  const [created] = await d1(
    targetOf(options),
    `INSERT INTO banks (id, name, created_at) VALUES (${sqlText(options.id)}, ${sqlText(options.name)}, ${Date.now()})
     ON CONFLICT DO NOTHING RETURNING id`,
  );
  if (created === undefined)
    throw new Error(`Bank ${options.id} exists already; nothing was changed. Choose another --id.`);
  console.log(
    `Created ${options.id}. Next: npm run key -- create --bank ${options.id} --name first --scopes customers:read`,
  );
});

withTarget(program.command('list').description('list all banks with their number of customers')).action(
  async (options) => {
    console.table(
      await d1(targetOf(options), 'SELECT id, name, customer_count AS customers FROM banks ORDER BY id'),
    );
  },
);

await run(program);
