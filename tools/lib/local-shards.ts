/**
 * The shards of this machine's server. SHARD_1 is in wrangler.toml; further ones are in a configuration of wrangler that is
 * generated in the state folder, which git ignores. It is derived from wrangler.toml but for its shards, because those of
 * the deployed service have nothing to do with this machine.
 */
import { readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { boundShards, readRawConfig, type RawConfig } from './config.ts';
import { writeAtomically } from './files.ts';
import { databaseNameOf, isShardName, type ShardName } from './shards.ts';
import { projectFolder } from './wrangler.ts';

const FIRST_SHARD: ShardName = 'SHARD_1';

const fileIn = (stateFolder: string) => join(stateFolder, 'wrangler.json');

const shardsOf = ({ d1_databases: databases }: Pick<RawConfig, 'd1_databases'>): ShardName[] =>
  databases.map(({ binding }) => binding).filter(isShardName);

/** @returns the shards that a server with this state folder is bound to */
export async function localShards(stateFolder: string): Promise<ShardName[]> {
  const text = await readFile(fileIn(stateFolder), 'utf8').catch(() => undefined);
  return text === undefined ? [FIRST_SHARD] : shardsOf(JSON.parse(text) as RawConfig);
}

/** Binds one more shard, from the server's next start on. May run any number of times. */
export async function bindLocalShard(stateFolder: string, shard: ShardName): Promise<void> {
  await writeConfig(stateFolder, [...new Set([...(await localShards(stateFolder)), shard])]);
}

/** @returns the configuration to be named to wrangler, up to date; undefined if wrangler.toml itself will do */
export async function localConfig(stateFolder: string): Promise<string | undefined> {
  const shards = await localShards(stateFolder);
  if (shards.join() === boundShards().join()) return undefined;
  await writeConfig(stateFolder, shards);
  return fileIn(stateFolder);
}

/** Forgets all shards but the first. */
export async function unbindLocalShards(stateFolder: string): Promise<void> {
  await rm(fileIn(stateFolder), { force: true });
}

async function writeConfig(stateFolder: string, shards: ShardName[]): Promise<void> {
  const config = readRawConfig();
  const inProject = (path: string) => join(projectFolder, path);
  const databases = config.d1_databases.map((database) => ({
    ...database,
    migrations_dir: inProject(database.migrations_dir),
  }));
  const first = databases.find(({ binding }) => binding === FIRST_SHARD);
  const { database_id: _, ...shard } = first ?? { migrations_dir: inProject('migrations/shard') };
  const local = {
    ...config,
    main: inProject(config.main),
    assets: { ...config.assets, directory: inProject(config.assets.directory) },
    // wrangler joins the first to the configuration's folder, and runs the command in the second.
    build: { ...config.build, watch_dir: relative(stateFolder, inProject('src')), cwd: projectFolder },
    d1_databases: [
      ...databases.filter(({ binding }) => !isShardName(binding)),
      ...shards.map((name) => ({
        ...shard,
        binding: name,
        database_name: databaseNameOf(name),
        preview_database_id: name,
      })),
    ],
  };
  await writeAtomically(fileIn(stateFolder), `${JSON.stringify(local, null, 2)}\n`);
}
