/**
 * Compares what the directory says about banks with what the shards say. They agree unless one of them was restored to an
 * earlier time by itself. A move raises the bank's move number everywhere, so the newest number tells who is right.
 */
import type { DatabaseName, ShardName } from '../lib/shards.ts';
import { d1, listShards, sqlText, type Target } from '../lib/wrangler.ts';

/** A bank in the directory. */
export interface Placement {
  id: string;
  shard: ShardName;
  move_number: number;
}

/** A bank in a shard. */
export interface Tenant {
  bank_id: string;
  shard: ShardName;
  state: string;
  move_number: number;
}

export interface Move {
  number: number;
  bank_id: string;
  source: ShardName;
  phase: string;
}

export interface Difference {
  /** What differs, and what to do if it can't be repaired. */
  sentence: string;
  /** Statements that repair it, in their order; none if somebody must decide. */
  repair: { database: DatabaseName; sql: string }[];
}

/** Phases after which a bank is where the directory says. In all others, the move itself goes on with it. */
const SETTLED_PHASES = ['cleaning', 'done', 'aborted'];

/** Reads the directory and all shards, and compares them. */
export async function readDifferences(target: Target): Promise<Difference[]> {
  const placements = await d1<Placement>(target, 'DIRECTORY', 'SELECT id, shard, move_number FROM banks');
  const moves = await d1<Move>(
    target,
    'DIRECTORY',
    'SELECT number, bank_id, source, phase FROM bank_moves ORDER BY number',
  );
  const tenants: Tenant[] = [];
  for (const shard of await listShards(target)) {
    const rows = await d1<Omit<Tenant, 'shard'>>(
      target,
      shard,
      'SELECT bank_id, state, move_number FROM tenants',
    );
    tenants.push(...rows.map((row) => ({ ...row, shard })));
  }
  return findDifferences(placements, tenants, moves);
}

/** @returns all differences, by bank */
export function findDifferences(placements: Placement[], tenants: Tenant[], moves: Move[]): Difference[] {
  const placed = new Map(placements.map((placement) => [placement.id, placement]));
  const present = Map.groupBy(tenants, ({ bank_id: id }) => id);
  const moved = Map.groupBy(moves, ({ bank_id: id }) => id);
  const ids = [...new Set([...placed.keys(), ...present.keys()])].sort();
  return ids.flatMap((id) => differencesOf(id, placed.get(id), present.get(id) ?? [], moved.get(id) ?? []));
}

function differencesOf(
  id: string,
  placement: Placement | undefined,
  tenants: Tenant[],
  moves: Move[],
): Difference[] {
  const unfinished = moves.find(({ phase }) => !SETTLED_PHASES.includes(phase));
  if (unfinished !== undefined) {
    return [byHand(`${id} is being moved (move ${unfinished.number}): check again when that has ended.`)];
  }
  if (placement === undefined) {
    return [
      byHand(
        `${id} is in ${namesOf(tenants)}, and not in the directory: add it with npm run replay -- apply.`,
      ),
    ];
  }
  if (tenants.length === 0) {
    return [byHand(`${id} is in no shard: run npm run bank -- create --id ${id} again.`)];
  }
  const newest = Math.max(placement.move_number, ...tenants.map(({ move_number: number }) => number));
  const [home, ...others] = tenants.filter(
    ({ state, move_number: number }) => state === 'open' && number === newest,
  );
  if (home === undefined || others.length > 0) {
    return [
      byHand(
        `${id}: move ${newest} is its newest, and ${others.length > 0 ? 'more than one shard has' : 'no shard has'} it open with that number. Its shards: ${describe(tenants)}. Restore the shard that has the newest data.`,
      ),
    ];
  }
  return [
    ...placementDifference(placement, home),
    ...tenants.flatMap((tenant) => leftover(tenant, home, moves)),
  ];
}

function placementDifference({ id, shard, move_number: number }: Placement, home: Tenant): Difference[] {
  if (shard === home.shard && number === home.move_number) return [];
  return [
    {
      sentence: `${id} is in ${home.shard} since move ${home.move_number}; the directory says ${shard}, move ${number}.`,
      repair: [
        {
          database: 'DIRECTORY',
          sql: `UPDATE banks SET shard = ${sqlText(home.shard)}, move_number = ${home.move_number} WHERE id = ${sqlText(id)}`,
        },
      ],
    },
  ];
}

/** A bank that has moved away is back in a shard that was restored. Its rows are removed by the move that it left with. */
function leftover(tenant: Tenant, home: Tenant, moves: Move[]): Difference[] {
  if (tenant === home || tenant.state === 'moved') return [];
  const left = moves.filter(({ source }) => source === tenant.shard).at(-1);
  const sentence = `${tenant.bank_id} is ${tenant.state} in ${tenant.shard} too, and has moved to ${home.shard}.`;
  if (left === undefined) return [byHand(`${sentence} No move from there is known.`)];
  return [
    {
      sentence,
      repair: [
        {
          database: tenant.shard,
          sql: `UPDATE tenants SET state = 'moved', move_number = ${left.number} WHERE bank_id = ${sqlText(tenant.bank_id)}`,
        },
        {
          database: 'DIRECTORY',
          sql: `UPDATE bank_moves SET phase = 'cleaning' WHERE number = ${left.number}`,
        },
      ],
    },
  ];
}

const byHand = (sentence: string): Difference => ({ sentence, repair: [] });
const namesOf = (tenants: Tenant[]) => tenants.map(({ shard }) => shard).join(', ');
const describe = (tenants: Tenant[]) =>
  tenants.map(({ shard, state, move_number: number }) => `${shard} ${state}, move ${number}`).join('; ');
