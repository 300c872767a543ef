/** `npm run bank -- create | list`: the banks of the service. */
import { Command } from 'commander';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { d1, listShards, sqlText } from '../lib/wrangler.ts';

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
  const target = targetOf(options);
  // First, because a bank in the directory must have its row in a shard. Alone, that row does no harm.
  await d1(
    target,
    'SHARD_1',
    `INSERT INTO tenants (bank_id, state) VALUES (${sqlText(options.id)}, 'open') ON CONFLICT DO NOTHING`,
  );
  const [created] = await d1(
    target,
    'DIRECTORY',
    `INSERT INTO banks (id, name, shard, created_at)
     VALUES (${sqlText(options.id)}, ${sqlText(options.name)}, 'SHARD_1', ${Date.now()})
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
    const target = targetOf(options);
    const counts = new Map<string, number>();
    for (const shard of await listShards(target)) {
      const tenants = await d1<{ id: string; customers: number }>(
        target,
        shard,
        "SELECT bank_id AS id, customer_count AS customers FROM tenants WHERE state IN ('open', 'leaving', 'standby')",
      );
      for (const { id, customers } of tenants) counts.set(id, customers);
    }
    const banks = await d1<{ id: string; name: string; shard: string }>(
      target,
      'DIRECTORY',
      'SELECT id, name, shard FROM banks ORDER BY id',
    );
    console.table(banks.map((bank) => ({ ...bank, customers: counts.get(bank.id) ?? 0 })));
  },
);

await run(program);
