/** The shards that the directory knows, and how full they are. */
import { NEARLY_FULL_PERCENT, usedPercent } from '../../src/databases/capacity.ts';
import type { ShardName } from '../lib/shards.ts';
import { d1, d1Results, type Target } from '../lib/wrangler.ts';

export interface Shard {
  name: ShardName;
  location: string | null;
  jurisdiction: string | null;
  /** To new banks: 1 or 0. */
  closed: number;
}

export interface ShardUse {
  banks: number;
  customers: number;
  bytes: number;
}

/** @returns all shards that are registered, by number */
export function readShards(target: Target): Promise<Shard[]> {
  return d1<Shard>(
    target,
    'DIRECTORY',
    'SELECT name, location, jurisdiction, closed FROM shards ORDER BY number',
  );
}

/** @throws if there is no such shard */
export function findShard(shards: Shard[], name: string): Shard {
  const found = shards.find((shard) => shard.name === name);
  if (found === undefined) {
    throw new Error(`There is no shard ${name}. List them with: npm run shard -- list`);
  }
  return found;
}

/** Counts banks that changes and lookups are served for; a bank that arrives is still counted where it comes from. */
const USE = `SELECT count(*) AS banks, coalesce(sum(customer_count), 0) AS customers FROM tenants
  WHERE state IN ('open', 'leaving')`;

export async function readUse(target: Target, shard: ShardName): Promise<ShardUse> {
  const [result] = await d1Results<Omit<ShardUse, 'bytes'>>(target, shard, USE);
  const [counts = { banks: 0, customers: 0 }] = result?.results ?? [];
  return { ...counts, bytes: result?.meta.size_after ?? 0 };
}

/**
 * What a new bank needs: a shard by name, or one of a jurisdiction. If neither is given, one that has no jurisdiction, or
 * the one that all shards have.
 */
export interface Wish {
  shard?: string | undefined;
  jurisdiction?: string | undefined;
}

/**
 * @returns the shard for a new bank: the one that is named, or the emptiest that suits
 * @throws why the named one does not suit, or that there is none
 */
export async function chooseShard(target: Target, wish: Wish): Promise<ShardName> {
  const shards = await readShards(target);
  if (wish.shard !== undefined) {
    const named = findShard(shards, wish.shard);
    const fault = faultOf(named, wish) ?? faultOfUse(await readUse(target, named.name));
    if (fault === undefined) return named.name;
    throw new Error(`${named.name} ${fault}: choose another. List them with: npm run shard -- list`);
  }
  const jurisdiction = wish.jurisdiction ?? commonJurisdiction(shards);
  const open = shards.filter((shard) => faultOf(shard, { jurisdiction }) === undefined);
  const uses = await Promise.all(open.map(async ({ name }) => ({ name, ...(await readUse(target, name)) })));
  const [emptiest] = uses
    .filter((use) => faultOfUse(use) === undefined)
    .sort(
      (one, other) => one.bytes - other.bytes || one.customers - other.customers || one.banks - other.banks,
    );
  if (emptiest !== undefined) return emptiest.name;
  const place = jurisdiction === undefined ? 'without a jurisdiction' : `of jurisdiction ${jurisdiction}`;
  throw new Error(
    `There is no open shard ${place} that has room. Add one with npm run shard -- add, or name one with --shard.`,
  );
}

/** @returns the jurisdiction of all shards, if they have the same, so that a bank need not name it */
function commonJurisdiction(shards: Shard[]): string | undefined {
  const [one, ...others] = new Set(shards.map(({ jurisdiction }) => jurisdiction));
  return others.length === 0 ? (one ?? undefined) : undefined;
}

function faultOf(shard: Shard, wish: Wish): string | undefined {
  // A shard that is named without a jurisdiction may have any.
  const isAnywhere = wish.shard !== undefined && wish.jurisdiction === undefined;
  if (!isAnywhere && shard.jurisdiction !== (wish.jurisdiction ?? null)) {
    return `is not in jurisdiction ${wish.jurisdiction}`;
  }
  return shard.closed === 0 ? undefined : 'is closed to new banks';
}

function faultOfUse({ bytes }: ShardUse): string | undefined {
  const percent = usedPercent(bytes);
  return percent < NEARLY_FULL_PERCENT ? undefined : `is ${percent.toFixed()} % full`;
}
