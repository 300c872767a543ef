/** Reads wrangler.toml with wrangler's own parser, and fills in the lines that the first deploy determines. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { experimental_readRawConfig, unstable_readConfig } from 'wrangler';
import { writeAtomically } from './files.ts';
import {
  databaseNameOf,
  isShardName,
  migrationsFolderOf,
  type DatabaseName,
  type ShardName,
} from './shards.ts';
import { projectFolder } from './wrangler.ts';

const file = join(projectFolder, 'wrangler.toml');

/** The settings that are used here; wrangler does not export its own type. */
export interface Config {
  name: string;
  compatibility_date: string;
  vars: Record<string, string | number>;
  ratelimits: { name: string; namespace_id: string; simple: { limit: number; period: 10 | 60 } }[];
  d1_databases: { binding: string; database_name: string; database_id?: string }[];
  queues: { consumers: { queue: string; max_batch_size: number; max_concurrency: number }[] };
}

/** @throws wrangler's error if the file can't be read */
export function readConfig(): Config {
  return unstable_readConfig({ config: file }, { hideWarnings: true });
}

/** Settings as they are written, with paths relative to the file. */
export interface RawConfig {
  main: string;
  assets: { directory: string };
  build: { command: string };
  d1_databases: {
    binding: string;
    database_name: string;
    database_id?: string;
    preview_database_id: string;
    migrations_dir: string;
  }[];
}

export function readRawConfig(): RawConfig {
  const { rawConfig } = experimental_readRawConfig({ config: file }) as { rawConfig: RawConfig };
  return rawConfig;
}

/** @returns the shards of the deployed service, as far as this checkout knows them */
export const boundShards = (): ShardName[] =>
  readRawConfig()
    .d1_databases.map(({ binding }) => binding)
    .filter(isShardName);

/**
 * Writes the host of the service, into the commented placeholder of each setting. A line that has the value already stays
 * as it is.
 * @throws if a line has another value, which somebody chose, or is missing
 */
export async function writeHost(host: string): Promise<void> {
  let text = await readFile(file, 'utf8');
  text = withLine(text, 'routes', `[{ pattern = "${host}", custom_domain = true }]`);
  text = withLine(text, 'PUBLIC_URL', `"https://${host}"`);
  await writeAtomically(file, text);
}

/**
 * Binds a database of the deployed service: writes its id, and for a shard that is not there yet the whole entry.
 * @throws if the entry has another id, which somebody chose
 */
export async function writeDatabase(binding: DatabaseName, id: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const entries = [...text.matchAll(/^\[\[d1_databases\]\]\n(?:.+\n)*/gm)].map(([entry]) => entry);
  const present = entries.find((entry) => entry.includes(`\nbinding = "${binding}"\n`));
  const last = entries.at(-1) ?? '';
  const next =
    present === undefined
      ? text.replace(last, `${last}\n${entryOf(binding, id)}`)
      : text.replace(present, withLine(present, 'database_id', `"${id}"`));
  await writeAtomically(file, next);
}

const entryOf = (binding: DatabaseName, id: string) => `[[d1_databases]]
binding = "${binding}"
database_name = "${databaseNameOf(binding)}"
database_id = "${id}"
preview_database_id = "${binding}"
migrations_dir = "${migrationsFolderOf(binding)}"
`;

function withLine(text: string, name: string, value: string): string {
  const line = `${name} = ${value}`;
  const [present] = new RegExp(`^(# )?${name} = .*$`, 'm').exec(text) ?? [];
  if (present === line) return text;
  if (present?.startsWith('# ') !== true) {
    throw new Error(`wrangler.toml needs the line ${line}, and has ${present ?? 'none'}: change it by hand.`);
  }
  return text.replace(present, line);
}
