/** Customers in D1: every statement on `customers` that one request needs, each with the bank in its WHERE. */
import { and, asc, desc, eq, sql, type SQL, type SQLWrapper } from 'drizzle-orm';
import type { Statement } from '../db/client.ts';
import { customers } from '../db/tables.ts';
import { rowsOfPage, type Position } from '../lib/paging.ts';
import type { CustomerLookup, CustomerUpdate, SortField } from './customers.schema.ts';
import { extendedColumns } from './customers.view.ts';

const EXTENDED_COLUMNS = sql.raw(
  Object.entries(extendedColumns)
    .map(([name, column]) => `${column.name} AS ${name}`)
    .join(', '),
);

/** Every given identifier must be the same customer's. One row read, by a unique index. */
export function findCustomer(bankId: string, lookup: CustomerLookup): Statement {
  const { id, email, phrase } = lookup;
  const named = and(
    eq(customers.bankId, bankId),
    id === undefined ? undefined : eq(customers.id, id),
    email === undefined ? undefined : eq(customers.email, email),
    phrase === undefined ? undefined : eq(customers.phrase, phrase),
  );
  return sql`SELECT ${EXTENDED_COLUMNS} FROM customers WHERE ${named} LIMIT 1`;
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
export function listCustomers(bankId: string, query: ListQuery): Statement {
  const columns = sortColumns[query.field].map((column) => customers[column]);
  const backwards = query.position?.side === 'before';
  const descending = query.descending !== backwards;
  return sql`SELECT ${EXTENDED_COLUMNS} FROM customers
      WHERE ${and(ownedAndNamed(bankId, query), withinPage(columns, descending, query.position))}
      ORDER BY ${sql.join(columns.map(descending ? desc : asc), sql`, `)}
      LIMIT ${rowsOfPage(query.limit, query.position)} OFFSET ${query.offset}`;
}

/** A row value comparison: SQLite seeks to it in the index, so nothing in front of it is read. */
function withinPage(columns: SQLWrapper[], descending: boolean, position: Position | undefined) {
  if (position === undefined) return undefined;
  const strictly = descending ? '<' : '>';
  const operator = sql.raw(position.side === 'before' ? strictly : `${strictly}=`);
  const key = position.key.map((part) => sql`${part}`);
  return sql`(${sql.join(columns, sql`, `)}) ${operator} (${sql.join(key, sql`, `)})`;
}

/** How many customers the whole list has. Unfiltered: one row, the bank's own counter. */
export function countCustomers(bankId: string, query: Pick<ListQuery, 'ids' | 'phrases'>): Statement {
  return query.ids === undefined && query.phrases === undefined
    ? sql`SELECT customer_count AS total FROM banks WHERE id = ${bankId}`
    : sql`SELECT count(*) AS total FROM customers WHERE ${ownedAndNamed(bankId, query)}`;
}

function ownedAndNamed(
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

/** @returns the row as it is after the update; nothing where the bank has no such customer */
export function updateCustomer(bankId: string, id: string, update: CustomerUpdate): Statement {
  const changes = Object.entries(update).map(
    ([field, value]) => sql`${sql.identifier(customers[field as keyof CustomerUpdate].name)} = ${value}`,
  );
  return sql`UPDATE customers SET ${sql.join(changes, sql`, `)}
      WHERE bank_id = ${bankId} AND id = ${id} RETURNING ${EXTENDED_COLUMNS}`;
}

export function findCountry(bankId: string, id: string): Statement {
  return sql`SELECT country FROM customers WHERE bank_id = ${bankId} AND id = ${id}`;
}
