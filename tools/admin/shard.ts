/** `npm run shard -- add | list | close | open | check`: the databases that hold the banks' data. */
import { Command } from 'commander';
import { NEARLY_FULL_PERCENT, usedPercent } from '../../src/databases/capacity.ts';
import { run, targetOf, withTarget } from '../lib/arguments.ts';
import { assertSameMigrations } from '../lib/migrations.ts';
import { d1, listShards, sqlText, type Target } from '../lib/wrangler.ts';
import { addShard } from './add-shard.ts';
import { isDeployed } from './deployed-worker.ts';
import { describePlace, withPlace } from './place.ts';
import { readDifferences } from './reconcile-tenants.ts';
import { findShard, readShards, readUse, type Shard } from './shards.ts';

const program = new Command('shard').description('The databases that hold the banks’ data');

withTarget(
  withPlace(
    program
      .command('add')
      .description('create a shard, or continue where it stopped')
      .option('--name <name>', 'SHARD_2 to SHARD_17; the next free one by default'),
  ),
).action(async ({ name, jurisdiction, location, ...options }) => {
  await addShard(targetOf(options), name, { jurisdiction, location });
});

withTarget(program.command('list').description('list all shards, and how full they are')).action(
  async (options) => {
    const target = targetOf(options);
    const shards = await readShards(target);
    console.table(await Promise.all(shards.map((shard) => describe(target, shard))));
  },
);

/** One line of the list. A shard that does not respond has no figures, and the others have theirs. */
async function describe(target: Target, shard: Shard) {
  const about = {
    name: shard.name,
    place: describePlace(shard),
    'new banks': shard.closed === 0 ? 'open' : 'closed',
  };
  try {
    const { banks, customers, bytes } = await readUse(target, shard.name);
    const percent = usedPercent(bytes);
    const warning = percent >= NEARLY_FULL_PERCENT ? ' (nearly full)' : '';
    return {
      ...about,
      banks,
      customers,
      size: `${(bytes / 1e6).toFixed(1)} MB`,
      'of 10 GB': `${percent.toFixed(1)} %${warning}`,
    };
  } catch (error) {
    return { ...about, banks: `not reachable: ${String(error).split('\n', 1)[0]}` };
  }
}

withTarget(
  program
    .command('close')
    .description('take no new bank; those that are there stay, and grow')
    .argument('<shard>', 'SHARD_…'),
).action(async (name, options) => {
  await setClosed(targetOf(options), name, true);
  console.log(`${name} takes no new bank any more.`);
});

withTarget(program.command('open').description('take new banks').argument('<shard>', 'SHARD_…')).action(
  async (name, options) => {
    const target = targetOf(options);
    findShard(await readShards(target), name);
    if (target.remote && !(await isDeployed(name))) {
      throw new Error(`The deployed Worker is not bound to ${name} yet: run npm run deploy first.`);
    }
    await setClosed(target, name, false);
    console.log(`${name} takes new banks.`);
  },
);

/** @throws if there is no such shard */
async function setClosed(target: Target, name: string, closed: boolean): Promise<void> {
  findShard(await readShards(target), name);
  await d1(target, 'DIRECTORY', `UPDATE shards SET closed = ${closed ? 1 : 0} WHERE name = ${sqlText(name)}`);
}

withTarget(
  program
    .command('check')
    .description('after a database was restored to an earlier time: compare the directory with the shards')
    .option('--repair', 'make them agree, where only one answer is possible'),
).action(async ({ repair = false, ...options }) => {
  const target = targetOf(options);
  await assertSameMigrations(target, await listShards(target));
  const differences = await readDifferences(target);
  for (const { sentence, repair: statements } of differences) {
    console.log(statements.length === 0 ? `${sentence} (by hand)` : sentence);
    if (repair) for (const { database, sql } of statements) await d1(target, database, sql);
  }
  const left = differences.filter(({ repair: statements }) => !repair || statements.length === 0).length;
  if (left > 0) {
    throw new Error(
      `${left === 1 ? '1 difference is' : `${left} differences are`} left: keep traffic out. ${repair ? 'Each says what to do.' : 'With --repair, all but those by hand are repaired.'}`,
    );
  }
  console.log(
    differences.length === 0 ? 'The directory and the shards agree.' : 'All is repaired: check once more.',
  );
});

await run(program);
