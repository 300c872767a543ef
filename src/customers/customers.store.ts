/** Customers in D1: every statement on `customers` that one request needs, each with the bank in its WHERE. */
import { and, count, eq, sql, type SQL } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { banks, customers } from '../db/tables.ts';
import type { Position } from '../lib/paging.ts';
import type { CustomerLookup, CustomerUpdate, SortField } from './customers.schema.ts';
import { extendedColumns } from './customers.view.ts';

/** Every given identifier must be the same customer's. One row read, by a unique index. */
export function findCustomer(db: Database, bankId: string, lookup: CustomerLookup) {
  const { id, email, phrase } = lookup;
  return db
    .select(extendedColumns)
    .from(customers)
    .where(
      and(
        eq(customers.bankId, bankId),
        id === undefined ? undefined : eq(customers.id, id),
        email === undefined ? undefined : eq(customers.email, email),
        phrase === undefined ? undefined : eq(customers.phrase, phrase),
      ),
    )
    .limit(1);
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

/** Ids rise with the time of creation, so the order of creation is the order of the table itself. */
const sortColumns = {
  createdAt: [customers.id],
  id: [customers.id],
  accountName: [customers.accountName, customers.id],
  email: [customers.email, customers.id],
} as const satisfies Record<SortField, readonly unknown[]>;

export function sortKeyLength(field: SortField): number {
  return sortColumns[field].length;
}

/** One page and one row more, which tells whether there is a next page. Reads no further. */
export function listCustomers(db: Database, bankId: string, query: ListQuery) {
  const columns = sortColumns[query.field];
  // Towards the front of the list when the page ends before its cursor, so the reading order is turned round.
  const descending = query.descending !== (query.position?.side === 'before');
  const direction = sql.raw(descending ? 'DESC' : 'ASC');
  const rows = db
    .select(extendedColumns)
    .from(customers)
    .where(and(ownedAndNamed(bankId, query), beyond(columns, descending, query.position), reaches(bankId, query)))
    .orderBy(...columns.map((column) => sql`${column} ${direction}`))
    .limit(query.limit + 1);
  return query.offset === 0 ? rows : rows.offset(query.offset);
}

/** How many customers the whole list has. Unfiltered: one row, the bank's own counter. */
export function countCustomers(db: Database, bankId: string, query: Pick<ListQuery, 'ids' | 'phrases'>) {
  return query.ids === undefined && query.phrases === undefined
    ? db.select({ total: banks.customerCount }).from(banks).where(eq(banks.id, bankId))
    : db.select({ total: count() }).from(customers).where(ownedAndNamed(bankId, query));
}

function ownedAndNamed(bankId: string, { ids, phrases }: Pick<ListQuery, 'ids' | 'phrases'>): SQL | undefined {
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

/** A row value comparison: SQLite seeks to it in the index, so nothing in front of it is read. */
function beyond(columns: readonly unknown[], descending: boolean, position: Position | undefined) {
  if (position === undefined) return undefined;
  const key = sql.join(
    position.key.map((part) => sql`${part}`),
    sql`, `,
  );
  const row = sql.join(
    columns.map((column) => sql`${column}`),
    sql`, `,
  );
  return sql`(${row}) ${sql.raw(descending ? '<' : '>')} (${key})`;
}

/** A page number far past the end would otherwise read, and bill, the whole bank to find nothing. */
function reaches(bankId: string, { offset }: ListQuery): SQL | undefined {
  return offset === 0
    ? undefined
    : sql`(SELECT ${banks.customerCount} FROM ${banks} WHERE ${banks.id} = ${bankId}) > ${offset}`;
}

/** @returns the row as it is after the update; nothing where the bank has no such customer */
export function updateCustomer(db: Database, bankId: string, id: string, update: CustomerUpdate) {
  return db
    .update(customers)
    .set(update)
    .where(and(eq(customers.bankId, bankId), eq(customers.id, id)))
    .returning(extendedColumns);
}

export function findCountry(db: Database, bankId: string, id: string) {
  return db
    .select({ country: customers.country })
    .from(customers)
    .where(and(eq(customers.bankId, bankId), eq(customers.id, id)));
}
