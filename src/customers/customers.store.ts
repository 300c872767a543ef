/** Customers in D1: every statement on `customers` that one request needs, each with the bank in its WHERE. */
import { and, eq, sql, type SQL } from 'drizzle-orm';
import { selectChange, isLatest, insertChange } from '../audit/audit.store.ts';
import type { Actor } from '../api-keys/caller.ts';
import { render, type Statement } from '../db/statements.ts';
import { keysetPage } from '../paging/keyset.ts';
import { customers } from '../db/schema.ts';
import type { Position } from '../paging/cursor.ts';
import type { CustomerLookup, CustomerUpdate, SortField } from './customers.requests.ts';
import { extendedColumns } from './customers.view.ts';

const EXTENDED_COLUMNS = sql.raw(
  Object.entries(extendedColumns)
    .map(([name, column]) => `${column.name} AS ${name}`)
    .join(', '),
);

const IDENTIFIERS = ['id', 'email', 'phrase'] as const;

/** Texts of the lookups by each choice of identifiers. To write one takes Drizzle 14 µs. */
const lookupTexts = new Map<string, string>();

/** Every given identifier must be the same customer's. One row read, by a unique index. */
export function selectCustomer(bankId: string, lookup: CustomerLookup): Statement {
  const given = IDENTIFIERS.filter((name) => lookup[name] !== undefined);
  const choice = given.join();
  let text = lookupTexts.get(choice);
  if (text === undefined) {
    const named = and(eq(customers.bankId, ''), ...given.map((name) => eq(customers[name], '')));
    text = render(sql`SELECT ${EXTENDED_COLUMNS} FROM customers WHERE ${named} LIMIT 1`).sql;
    lookupTexts.set(choice, text);
  }
  return { sql: text, params: [bankId, ...given.map((name) => lookup[name])] };
}

export interface ListQuery {
  ids?: string[] | undefined;
  phrases?: string[] | undefined;
  field: SortField;
  descending: boolean;
  limit: number;
  /** Rows to pass over, for a page asked for by number. */
  offset: number;
  position?: Position | undefined;
}

/**
 * What a list is sorted by; the columns together are unique in a bank, so that no row falls between two pages.
 * Ids rise with the time of creation: the order of creation is the order of the table itself.
 */
const sortColumns = {
  createdAt: ['id'],
  id: ['id'],
  accountName: ['accountName', 'id'],
  email: ['email'],
} as const satisfies Record<SortField, readonly ('id' | 'accountName' | 'email')[]>;

/** Where a row stands in the list, for a cursor. */
export function sortKey(field: SortField, row: { id: string; accountName: string; email: string }): string[] {
  return sortColumns[field].map((column) => row[column]);
}

export function sortKeyLength(field: SortField): number {
  return sortColumns[field].length;
}

/** One page, and for a page read forwards the row behind it. Reads no further, at any depth. */
export function selectCustomers(bankId: string, query: ListQuery): Statement {
  // The unary plus has the rows that a filter names found first and sorted then. By the index of the order, SQLite
  // would read the whole bank to find them.
  const isFiltered = query.ids !== undefined || query.phrases !== undefined;
  const columns = sortColumns[query.field].map((column) =>
    isFiltered ? sql`+${customers[column]}` : customers[column],
  );
  return sql`SELECT ${EXTENDED_COLUMNS} FROM customers
      WHERE ${matchesFilter(bankId, query)} AND ${keysetPage(columns, query.descending, query)} OFFSET ${query.offset}`;
}

/** How many customers a bank has: one row, its own counter. */
export function selectCustomerCount(bankId: string): Statement {
  return sql`SELECT customer_count AS total FROM banks WHERE id = ${bankId}`;
}

/** Ids of the customers that a filter finds: at most as many as it names. */
export function selectFilteredIds(bankId: string, filter: Pick<ListQuery, 'ids' | 'phrases'>): Statement {
  return sql`SELECT id FROM customers WHERE ${matchesFilter(bankId, filter)}`;
}

function matchesFilter(
  bankId: string,
  { ids, phrases }: Pick<ListQuery, 'ids' | 'phrases'>,
): SQL | undefined {
  const oneOf = (values: string[]) => sql`IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
  // The unary plus keeps SQLite from walking the whole bank by primary key where the phrases' index finds the
  // few rows at once.
  const byPhraseAlone = ids === undefined && phrases !== undefined;
  return and(
    byPhraseAlone ? sql`+${customers.bankId} = ${bankId}` : eq(customers.bankId, bankId),
    ids === undefined ? undefined : sql`${customers.id} ${oneOf(ids)}`,
    phrases === undefined ? undefined : sql`${customers.phrase} ${oneOf(phrases)}`,
  );
}

const matchesCustomer = (bankId: string, id: string): SQL => sql`bank_id = ${bankId} AND id = ${id}`;

/** This customer, with one of these revisions; undefined: with any. */
export function matchesRevision(bankId: string, id: string, expected: string[] | undefined): SQL {
  if (expected === undefined) return matchesCustomer(bankId, id);
  const revisions = sql`SELECT value FROM json_each(${JSON.stringify(expected)})`;
  return sql`${matchesCustomer(bankId, id)} AND coalesce(revision, id) IN (${revisions})`;
}

/**
 * Changes a customer, if it has one of the revisions expected, and writes down who did. The last two return the row
 * as it then is, and whether the change was made. Run again, they change nothing, whoever changed it in between.
 */
export function updateCustomerStatements(
  actor: Actor,
  at: number,
  id: string,
  update: CustomerUpdate,
  expected?: string[],
): Statement[] {
  const { bankId, requestId } = actor;
  const fields = Object.keys(update) as (keyof CustomerUpdate)[];
  const changes = fields.map((field) => sql`${sql.identifier(customers[field].name)} = ${update[field]}`);
  const meant = matchesRevision(bankId, id, expected);
  return [
    insertChange(
      actor,
      { at, action: 'PATCH /v1/bank/customer', subject: id, fields },
      sql`EXISTS (SELECT 1 FROM customers WHERE ${meant})`,
    ),
    sql`UPDATE customers SET ${sql.join(changes, sql`, `)}, revision = ${requestId}
        WHERE ${meant} AND revision IS NOT ${requestId} AND ${isLatest(actor, id)}`,
    selectCustomer(bankId, { id }),
    selectChange(actor, { at, subject: id }),
  ];
}

/**
 * Removes a customer: its phrase is retired, which the first returns, and its bank counts one less. Nothing happens
 * where there is none.
 * @param condition what else must be so
 */
export function deleteCustomerStatements(bankId: string, id: string, condition: SQL): Statement[] {
  const meant = sql`${matchesCustomer(bankId, id)} AND ${condition}`;
  return [
    sql`INSERT INTO retired_phrases (phrase) SELECT phrase FROM customers WHERE ${meant} RETURNING phrase`,
    sql`UPDATE banks SET customer_count = customer_count - 1
        WHERE id = ${bankId} AND EXISTS (SELECT 1 FROM customers WHERE ${meant})`,
    sql`DELETE FROM customers WHERE ${meant}`,
  ];
}

/** What an erasure must know of a customer, to find what else there is of it. */
export interface Traces {
  email: string;
  clientRef: string;
  /** Null: it has not been moved in, and so nobody has seen one. */
  phrase: string | null;
}

export function selectTraces(bankId: string, id: string): Statement {
  return sql`SELECT email, client_ref AS clientRef, phrase FROM customers WHERE ${matchesCustomer(bankId, id)}`;
}

export interface CountryRow {
  country: string;
  /** Has the customer one of the revisions that are expected? 0: no. */
  isExpected: number;
}

export function selectCountry(bankId: string, id: string, expected: string[] | undefined): Statement {
  return sql`SELECT country, (${matchesRevision(bankId, id, expected)}) AS isExpected FROM customers
      WHERE ${matchesCustomer(bankId, id)}`;
}
