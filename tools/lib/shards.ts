/** Names of the databases, on this machine and at Cloudflare. Only the directory knows which shards are registered. */

import { MAX_SHARDS } from '../../src/databases/first-words.ts';
import type { ShardName } from '../../src/databases/home.ts';

export type { ShardName };

/** A binding in wrangler.toml, which is also the local database's id. */
export type DatabaseName = 'DIRECTORY' | ShardName;

/** @returns the shard's number; undefined if it is not the name of a shard */
export function shardNumber(name: string): number | undefined {
  const [, digits] = /^SHARD_([1-9]\d?)$/.exec(name) ?? [];
  const number = Number(digits);
  return number <= MAX_SHARDS ? number : undefined;
}

export const isShardName = (name: string): name is ShardName => shardNumber(name) !== undefined;

/** The name of a D1 database at Cloudflare. */
export type CloudflareName = `peere-${string}`;

export const databaseNameOf = (name: DatabaseName): CloudflareName =>
  `peere-${name.toLowerCase().replace('_', '-')}`;

/** Relative to the project. Every shard has the same migrations. */
export const migrationsFolderOf = (name: DatabaseName) =>
  name === 'DIRECTORY' ? 'migrations/directory' : 'migrations/shard';
