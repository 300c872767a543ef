/**
 * Statements and the one way to run them. Drizzle builds the SQL and its parameters; D1's own calls run it, because
 * Drizzle's driver (0.45) can't bind the parameters of raw SQL in a batch, puts bound values into the texts of its
 * errors, and would add 7 KB to the bundle.
 */
import { fillPlaceholders, sql, type GetColumnData, type SQL } from 'drizzle-orm';
import { QueryBuilder, SQLiteAsyncDialect, type SQLiteColumn } from 'drizzle-orm/sqlite-core';
import { once } from '../lib/once.ts';
import { systemRuntime, withinDeadline, type Timer } from '../runtime.ts';
import { DatabaseError } from './errors.ts';

/** A statement as text and parameters. `Row` is the type of the rows it returns. */
export interface Rendered<Row = unknown> {
  sql: string;
  params: unknown[];
  /** Never set: it lets the compiler tell statements apart by their rows. */
  readonly row?: Row;
}

/** A statement that has not been run. `Row` is the type of the rows it returns, keyed by the names of its columns. */
export type Statement<Row = unknown> = SQL<Row> | Rendered<Row>;

/** Builds ordinary reads. Set-based statements use Drizzle's `sql` with an explicit row type: sql<Row>`…`. */
export const queryBuilder = new QueryBuilder();

/** Names each column by its key, because D1 returns rows keyed by the names of their columns. */
export function columnsAs<Columns extends Record<string, SQLiteColumn>>(columns: Columns) {
  const aliased = Object.entries(columns).map(([name, column]) => [name, sql`${column}`.as(name)]);
  return Object.fromEntries(aliased) as {
    [Name in keyof Columns]: SQL.Aliased<GetColumnData<Columns[Name]>>;
  };
}

/** A query of `queryBuilder` as a statement. */
export function toStatement<Row>(query: {
  getSQL: () => SQL;
  readonly _: { readonly result: Row[] };
}): Statement<Row> {
  return query.getSQL() as SQL<Row>;
}

const dialect = new SQLiteAsyncDialect();

export function render<Row>(statement: Statement<Row>): Rendered<Row> {
  return 'params' in statement ? statement : dialect.sqlToQuery(statement);
}

/**
 * Builds and renders a hot statement once, on its first use: rendering takes 14 µs, and at startup every isolate would
 * pay for statements that it may never run.
 * @param build builds the statement with `sql.placeholder(name)` for each value
 * @returns a function that makes the statement from its values
 */
export function renderOnce<Row>(
  build: () => Statement<Row>,
): (values: Record<string, unknown>) => Rendered<Row> {
  const rendered = once(() => render(build()));
  return (values) => {
    const { sql: text, params } = rendered();
    return { sql: text, params: fillPlaceholders(params, values) };
  };
}

/** D1 itself, or a session of it. */
export interface Database extends Pick<D1Database, 'prepare' | 'batch'> {
  /** Times the deadlines of its calls; the system's by default. */
  readonly timer?: Timer;
}

/** D1 without a session. */
export function withDeadlines(binding: D1Database, timer: Timer): Database {
  return {
    prepare: (query) => binding.prepare(query),
    batch: (statements) => binding.batch(statements),
    timer,
  };
}

/**
 * D1 gives a statement 30 s, and a connection that hangs gives no answer at all. A read takes D1 a few milliseconds,
 * and its restarts a second or two: a client that has waited 5 s is served better by a 503.
 */
export const READ_DEADLINE_MS = 5_000;
/**
 * A write of 4 MB takes D1 a tenth of a second. It has longer than a read, because after its deadline it may have
 * taken effect, or may still do so, and the caller must find out.
 */
export const WRITE_DEADLINE_MS = 10_000;

/**
 * Runs one statement.
 * @param deadlineMs how long to wait for the answer; WRITE_DEADLINE_MS for writes
 * @throws DatabaseError
 */
export async function execute<Row>(
  db: Database,
  statement: Statement<Row>,
  deadlineMs = READ_DEADLINE_MS,
): Promise<Row[]> {
  const { results } = await waitFor(db, bind(db, statement).all<Row>(), deadlineMs);
  return results;
}

/**
 * Runs one read that the nearest replica may answer.
 * @returns the rows, and whether the primary answered; a database without replicas has only that
 * @throws DatabaseError
 */
export async function executeNearest<Row>(
  db: Database,
  statement: Statement<Row>,
): Promise<{ rows: Row[]; fromPrimary: boolean }> {
  const { results, meta } = await waitFor(db, bind(db, statement).all<Row>(), READ_DEADLINE_MS);
  return { rows: results, fromPrimary: meta.served_by_primary === true };
}

/**
 * @returns the size of a database in bytes. D1 says it with every answer, and this asks for nothing else: no row is read.
 * @throws DatabaseError
 */
export async function readDatabaseBytes(db: Database): Promise<number> {
  const { meta } = await waitFor(db, bind(db, { sql: 'SELECT 1', params: [] }).all(), READ_DEADLINE_MS);
  return meta.size_after;
}

/** One statement, or several whose rows are returned as one list. */
type Part<Row = unknown> = Statement<Row> | readonly Statement<Row>[];
/** The statements of one transaction, in their order: a list, or an object whose names the results have too. */
export type Transaction = readonly Part[] | { readonly [name: string]: Part };
/** The rows of each part of a transaction. */
export type RowsOf<Parts extends Transaction> = {
  -readonly [Name in keyof Parts]: Parts[Name] extends Part<infer Row> ? Row[] : never;
};

/**
 * Runs statements as one D1 call and one transaction: all of them take effect, or none.
 * @param deadlineMs how long to wait for the answer; WRITE_DEADLINE_MS for writes
 * @returns the rows of each part, under the part's name or position
 * @throws DatabaseError
 */
export async function executeBatch<const Parts extends Transaction>(
  db: Database,
  parts: Parts,
  deadlineMs = READ_DEADLINE_MS,
): Promise<RowsOf<Parts>> {
  return (await executeBehind(db, undefined, parts, deadlineMs)).rows;
}

/**
 * The same, behind a statement whose rows are returned apart.
 * @param first undefined: none
 * @throws DatabaseError
 */
export async function executeBehind<First, const Parts extends Transaction>(
  db: Database,
  first: Statement<First> | undefined,
  parts: Parts,
  deadlineMs = READ_DEADLINE_MS,
): Promise<{ first: First[]; rows: RowsOf<Parts> }> {
  const named = Object.entries<Part>(parts);
  const inFront = first === undefined ? [] : [first];
  const statements = [...inFront, ...named.flatMap(([, part]) => statementsOf(part))];
  const bound = statements.map((statement) => bind(db, statement));
  const results = bound.length === 0 ? [] : await waitFor(db, db.batch(bound), deadlineMs);
  let next = inFront.length;
  const rows = named.map(([name, part]) => {
    const begin = next;
    next += statementsOf(part).length;
    return [name, results.slice(begin, next).flatMap((result) => result.results)] as const;
  });
  return {
    first: first === undefined ? [] : (results[0]?.results as First[]),
    rows: (Array.isArray(parts)
      ? rows.map(([, ofPart]) => ofPart)
      : Object.fromEntries(rows)) as RowsOf<Parts>,
  };
}

function statementsOf(part: Part): readonly Statement[] {
  return Array.isArray(part) ? part : [part as Statement];
}

/** Every call to D1 passes here. */
function waitFor<Result>(
  { timer = systemRuntime.timer }: Database,
  call: Promise<Result>,
  deadlineMs: number,
): Promise<Result> {
  return withinDeadline(timer, deadlineMs, 'D1', call).catch((cause: unknown) => {
    throw new DatabaseError('a D1 call failed', { cause });
  });
}

function bind(db: Database, statement: Statement): D1PreparedStatement {
  const { sql: text, params } = render(statement);
  return db.prepare(text).bind(...params);
}
