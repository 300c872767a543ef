/**
 * The steps of a move in a shard: how a bank's row in `tenants` goes from state to state. Each depends on the state and on
 * the number of the move, so a step that is repeated, or arrives late, changes nothing.
 */
import { getTableColumns, sql, type SQL } from 'drizzle-orm';
import { tenants } from '../../db/schema.ts';
import type { Statement } from '../../db/statements.ts';
import { once } from '../../lib/once.ts';
import type { Move, Tenant } from './move.ts';

type OfBank = Pick<Move, 'bankId' | 'number'>;

/** Is the bank in this state by this move, in this shard? What every step of a move depends on. */
export const isTenant = ({ bankId, number }: OfBank, state: Tenant['state']): SQL =>
  sql`EXISTS (SELECT 1 FROM tenants WHERE bank_id = ${bankId} AND state = ${state} AND move_number = ${number})`;

/** The columns that change with the bank's data: all but those that a move sets. */
const countNames = once(() => {
  const { bankId: _, state: __, moveNumber: ___, ...counts } = getTableColumns(tenants);
  return Object.values(counts).map(({ name }) => name);
});

export function selectTenant({ bankId }: Pick<Move, 'bankId'>): Statement<Tenant> {
  return sql<Tenant>`SELECT state, move_number AS moveNumber, json_array(${sql.raw(countNames().join(', '))}) AS counts
      FROM tenants WHERE bank_id = ${bankId}`;
}

/** The source takes no more changes. */
export function leaveSource(move: OfBank) {
  return {
    leaving: sql`UPDATE tenants SET state = 'leaving', move_number = ${move.number}
        WHERE bank_id = ${move.bankId} AND state = 'open' AND move_number < ${move.number}`,
    tenant: selectTenant(move),
  };
}

/** The target takes copies. @param counts of the source, which takes no more changes */
export function arriveInTarget(move: OfBank, counts: string) {
  const names = countNames();
  const values = names.map((_, index) => sql`${counts} ->> ${sql.raw(String(index))}`);
  const excluded = names.map((name) => `${name} = excluded.${name}`);
  return {
    // The WHERE makes sure that SQLite does not read ON CONFLICT as a part of a join.
    arriving: sql`INSERT INTO tenants (bank_id, state, move_number, ${sql.raw(names.join(', '))})
        SELECT ${move.bankId}, 'arriving', ${move.number}, ${sql.join(values, sql`, `)} WHERE true
        ON CONFLICT (bank_id) DO UPDATE
        SET state = 'arriving', move_number = excluded.move_number, ${sql.raw(excluded.join(', '))}
        WHERE tenants.state = 'moved' AND tenants.move_number < excluded.move_number`,
    tenant: selectTenant(move),
  };
}

/** The target can be read, and takes no changes yet. */
export const standBy = (move: OfBank) => changeState(move, 'arriving', 'standby');

/** The source is neither read nor changed any more. */
export const closeSource = (move: OfBank) => changeState(move, 'leaving', 'moved');

/** The target takes changes. Its chunks waited for that, so they are due. */
export const openTarget = (move: OfBank, now: number) => ({
  due: makeChunksDue(move, 'standby', now),
  ...changeState(move, 'standby', 'open'),
});

function changeState(move: OfBank, from: Tenant['state'], to: Tenant['state']) {
  return {
    changed: sql`UPDATE tenants SET state = ${to}
        WHERE bank_id = ${move.bankId} AND state = ${from} AND move_number = ${move.number}`,
    tenant: selectTenant(move),
  };
}

/** After an abort: the source takes changes again, by the number of this move, so that no later step of it changes that. */
export const reopenSource = (move: OfBank, now: number) => ({
  due: makeChunksDue(move, 'leaving', now),
  reopened: sql`UPDATE tenants SET state = 'open', move_number = ${move.number}
      WHERE bank_id = ${move.bankId} AND (
        (state = 'leaving' AND move_number = ${move.number}) OR (state = 'open' AND move_number < ${move.number}))`,
  tenant: selectTenant(move),
});

/** After an abort: a tombstone in the target, even if the bank never arrived there, so that it never does. */
export const discardTarget = (move: OfBank) => ({
  discarded: sql`INSERT INTO tenants (bank_id, state, move_number) VALUES (${move.bankId}, 'moved', ${move.number})
      ON CONFLICT (bank_id) DO UPDATE SET state = 'moved', move_number = excluded.move_number
      WHERE (tenants.state = 'moved' AND tenants.move_number < excluded.move_number)
        OR (tenants.state IN ('arriving', 'standby') AND tenants.move_number = excluded.move_number)`,
  tenant: selectTenant(move),
});

/** A stalled chunk stays stalled. */
function makeChunksDue(move: OfBank, state: Tenant['state'], now: number): Statement {
  return sql`UPDATE batch_chunks SET next_send_at = ${now}
      WHERE bank_id = ${move.bankId} AND next_send_at IS NOT NULL AND ${isTenant(move, state)}`;
}
