/**
 * Adds a shard: creates the database, binds it, creates its tables, and registers it in the directory. Each step may be
 * repeated, and banks are only put on a registered shard, so a command that was stopped anywhere does no harm and continues.
 */
import { MAX_SHARDS } from '../../src/databases/first-words.ts';
import { prepareLocalDatabase } from '../dev/local-database.ts';
import { typedOptions } from '../lib/arguments.ts';
import { boundShards, readConfig, writeDatabase } from '../lib/config.ts';
import { withLocalDatabases } from '../lib/local-d1.ts';
import { bindLocalShard, localShards } from '../lib/local-shards.ts';
import {
  applyLocalMigrations,
  applyRemoteMigrations,
  assertIsShardOrEmpty,
  assertSameMigrations,
} from '../lib/migrations.ts';
import { databaseNameOf, isShardName, shardNumber, type ShardName } from '../lib/shards.ts';
import { d1, sqlText, stateFolderOf, type Target } from '../lib/wrangler.ts';
import { isDeployed } from './deployed-worker.ts';
import { ensureDatabase } from './deploy-resources.ts';
import { describePlace, type Place } from './place.ts';
import { readShards, type Shard } from './shards.ts';

const NOT_DEPLOYED = 'There is no deployed service yet, or only a part of it: run npm run deploy:first.';

/** @throws a sentence, with nothing changed, if there can be no such shard */
export async function addShard(target: Target, wanted: string | undefined, asked: Place): Promise<void> {
  await assertIsPrepared(target);
  const shards = await readShards(target);
  const complete = await completeShards(target, shards);
  if (!complete.includes('SHARD_1')) throw new Error(NOT_DEPLOYED);
  const name = chooseName(wanted, complete);
  const place = placeOf(
    shards.find((shard) => shard.name === name),
    asked,
  );
  await assertSameMigrations(target, complete);
  if (target.remote) await createRemotely(name, place);
  else await createLocally(stateFolderOf(target), name);
  // The deployed Worker is not bound to it before the next deploy: a bank on it would get nothing but 503s.
  await registerShard(target, name, { ...place, closed: target.remote });
  console.log(`Added ${name}: ${describePlace(place)}.\n${nextSteps(target, name)}`);
}

async function assertIsPrepared(target: Target): Promise<void> {
  if (target.remote) {
    if (readConfig().d1_databases.some(({ database_id: id }) => id === undefined)) {
      throw new Error(NOT_DEPLOYED);
    }
    return;
  }
  // The server was never started, or its first start was interrupted.
  const isPrepared = await readShards(target).then(
    (shards) => shards.length > 0,
    () => false,
  );
  if (!isPrepared) await prepareLocalDatabase(target.persistTo);
}

/**
 * @returns the shards with which nothing is left to do. One that waits for the deploy is not complete, so that a command
 * that was stopped at its very end says what comes next, instead of adding another.
 */
async function completeShards(target: Target, shards: Shard[]): Promise<ShardName[]> {
  const bound = target.remote ? boundShards() : await localShards(stateFolderOf(target));
  const complete: ShardName[] = [];
  for (const { name, closed } of shards.filter((shard) => bound.includes(shard.name))) {
    const waits = target.remote && closed === 1 && !(await isDeployed(name));
    if (!waits) complete.push(name);
  }
  return complete;
}

/** @returns the shard that is wanted, or the first that is not complete */
function chooseName(wanted: string | undefined, complete: ShardName[]): ShardName {
  if (wanted === undefined) {
    for (let number = 2; number <= MAX_SHARDS; number += 1) {
      if (!complete.includes(`SHARD_${number}`)) return `SHARD_${number}`;
    }
    throw new Error(`There are ${MAX_SHARDS} shards already, and first words of phrases for no more.`);
  }
  if (!isShardName(wanted)) throw new Error(`--name must be SHARD_2 to SHARD_${MAX_SHARDS}, not ${wanted}.`);
  if (complete.includes(wanted)) {
    throw new Error(`${wanted} exists already; nothing was changed. Leave out --name for the next free one.`);
  }
  return wanted;
}

/** @throws if a shard that is registered, but not bound in this checkout, is somewhere else than asked */
function placeOf(registered: Shard | undefined, asked: Place): Place {
  if (registered === undefined) return asked;
  const isAsked = asked.jurisdiction !== undefined || asked.location !== undefined;
  if (isAsked && describePlace(asked) !== describePlace(registered)) {
    throw new Error(`${registered.name} is registered in ${describePlace(registered)}; nothing was changed.`);
  }
  return registered;
}

async function createRemotely(name: ShardName, place: Place): Promise<void> {
  await writeDatabase(name, await ensureDatabase(databaseNameOf(name), place, assertIsShardOrEmpty));
  await applyRemoteMigrations(name);
}

async function createLocally(stateFolder: string, name: ShardName): Promise<void> {
  await bindLocalShard(stateFolder, name);
  await withLocalDatabases(stateFolder, [name], (execute) => applyLocalMigrations(execute, name));
}

/** Registers a shard, closed to new banks or open. One that is registered stays as it is. */
export async function registerShard(
  target: Target,
  name: ShardName,
  { location, jurisdiction, closed }: Place & { closed: boolean },
): Promise<void> {
  const place = `${sqlText(location ?? null)}, ${sqlText(jurisdiction ?? null)}`;
  await d1(
    target,
    'DIRECTORY',
    `INSERT INTO shards (name, number, location, jurisdiction, closed, created_at)
     VALUES (${sqlText(name)}, ${shardNumber(name)}, ${place}, ${closed ? 1 : 0}, ${Date.now()}) ON CONFLICT DO NOTHING`,
  );
}

function nextSteps(target: Target, name: ShardName): string {
  return target.remote
    ? `wrangler.toml is bound to it: commit it. It is closed to new banks until the Worker is deployed. Next: npm run deploy, then npm run shard -- open ${name} --remote`
    : `A server that runs must be started again. Next: npm run bank -- create --id bnk_… --name … --shard ${name}${typedOptions(target)}`;
}
