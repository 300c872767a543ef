/** `npm run bank -- create | list | move`: the banks of the service. */
import { Command } from 'commander';
import { moveCommand } from './move-bank.ts';
import { run, targetOf, typedOptions, withTarget } from '../lib/arguments.ts';
import { d1, listShards } from '../lib/wrangler.ts';
import { createBank } from './create-bank.ts';
import { jurisdictionOption } from './place.ts';

const program = new Command('bank').description('The banks of this service');

withTarget(
  program
    .command('create')
    .description('add a bank, or complete one whose creation was interrupted')
    .requiredOption('--id <id>', 'bnk_ and 2 to 40 of a-z, 0-9 and _')
    .requiredOption('--name <text>', 'name of the bank for people')
    .option('--shard <name>', 'where its data goes; the emptiest open shard by default')
    .addOption(jurisdictionOption('where its data must stay; by default a shard that has no jurisdiction')),
).action(async ({ id, name, shard, jurisdiction, ...options }) => {
  if (!/^bnk_[a-z0-9_]{2,40}$/.test(id)) {
    throw new Error('--id must be bnk_ and 2 to 40 of a-z, 0-9 and _, such as bnk_first_lagos.');
  }
  const target = targetOf(options);
  const created = await createBank(target, { id, name }, { shard, jurisdiction });
  console.log(
    `Created ${id} on ${created}. Next: npm run key -- create --bank ${id} --name first --scopes customers:read${typedOptions(target)}`,
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

program.addCommand(moveCommand());

await run(program);
