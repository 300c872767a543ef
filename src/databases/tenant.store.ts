/** What is put in front of every statement on a bank's data: is the bank open, or readable, in this shard? */
import { eq, sql, type SQL } from 'drizzle-orm';
import { tenants, type TenantState } from '../db/schema.ts';
import {
  columnsAs,
  queryBuilder,
  render,
  toStatement,
  type Rendered,
  type Statement,
} from '../db/statements.ts';

export interface StateRow {
  state: TenantState;
}

/** May rows of a bank in this state be shown? Those of an arriving one are not whole, and those of a moved one are old. */
export function isReadable(state: TenantState | undefined): boolean {
  return state === 'open' || state === 'leaving' || state === 'standby';
}

/** The condition `isReadable` in SQL, for a row of `tenants`. */
export const IS_READABLE = sql.raw(`tenants.state IN ('open', 'leaving', 'standby')`);

/** The first statement of a read: one row read, none for a bank that this shard does not know. */
export function selectState(bankId: string): Rendered<StateRow> {
  return { sql: 'SELECT state FROM tenants WHERE bank_id = ?', params: [bankId] };
}

/**
 * The first statement of a change. It aborts the whole transaction unless the bank is open here, by the move that the
 * writer knows of. One row read, none written.
 */
export function guard(bankId: string, moveNumber: number): Rendered {
  return {
    sql: `INSERT INTO guard (refused) SELECT 1 WHERE NOT EXISTS (
        SELECT 1 FROM tenants WHERE bank_id = ? AND state = 'open' AND move_number = ?)`,
    params: [bankId, moveNumber],
  };
}

/** A row, or nulls in its place, with the state of its bank. */
export type WithState<Row> = { tenantState: TenantState } & (Row | { [Column in keyof Row]: null });

/**
 * A read of at most one row with the state of its bank, as one statement: the bank's row is joined to it, so that an
 * absent row costs no second call. No row for a bank that this shard does not know.
 * @param statement without LIMIT and ORDER BY, which would keep SQLite from merging it into the outer one
 */
export function selectWithState<Row>(bankId: string, statement: Statement<Row>): Rendered<WithState<Row>> {
  const { sql: text, params } = render(statement);
  return {
    sql: `SELECT tenants.state AS tenantState, found.* FROM tenants LEFT JOIN (${text}) AS found
      WHERE tenants.bank_id = ?`,
    params: [...params, bankId],
  };
}

/** Selects the number of customers of a bank, from its own counter: one row read, however many it has. */
export function selectCustomerCount(bankId: string): Statement<{ total: number }> {
  return toStatement(
    queryBuilder
      .select(columnsAs({ total: tenants.customerCount }))
      .from(tenants)
      .where(eq(tenants.bankId, bankId)),
  );
}

/** For sweeps over all banks of a shard: is the bank of a row open? @param table or alias that has `bank_id` */
export function isOfOpenBank(table: string): SQL {
  return sql.raw(`EXISTS (SELECT 1 FROM tenants WHERE bank_id = ${table}.bank_id AND state = 'open')`);
}
