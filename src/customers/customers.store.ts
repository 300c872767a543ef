/** Customers in D1: the statements of lookups, lists, updates and erasures, each with the bank in its WHERE. */
import { and, eq, sql, type SQL } from 'drizzle-orm';
import { selectChange, isLatest, isRecorded, insertChange } from '../audit/audit.store.ts';
import type { Actor } from '../api-keys/caller.ts';
import { columnsAs, queryBuilder, renderOnce, toStatement, type Statement } from '../db/statements.ts';
import { selectDueEndpoints } from '../events/due-endpoints.store.ts';
import { insertEvent } from '../events/events.store.ts';
import { keysetPage } from '../paging/keyset.ts';
import type { Position } from '../paging/cursor.ts';
import type { CustomerLookup, CustomerUpdate, SortField } from './customers.requests.ts';
import { customers } from './customers.table.ts';
import { recordColumns, type CustomerRecord } from './customers.view.ts';

/** The columns of a CustomerRecord. */
const columns = columnsAs(recordColumns);

const IDENTIFIERS = ['id', 'email', 'phrase'] as const;

type Identifier = (typeof IDENTIFIERS)[number];

const lookupBy = (identifiers: Identifier[]) =>
  renderOnce(() =>
    toStatement<CustomerRecord>(
      queryBuilder
        .select(columns)
        .from(customers)
        .where(
          and(
            eq(customers.bankId, sql.placeholder('bankId')),
            ...identifiers.map((name) => eq(customers[name], sql.placeholder(name))),
          ),
        ),
    ),
  );

/** The lookup by each combination of identifiers that has been asked for. */
const lookups = new Map<string, ReturnType<typeof lookupBy>>();

/** Every given identifier must belong to the same customer. One row read at most, by a unique index. */
export function selectCustomer(bankId: string, lookup: CustomerLookup): Statement<CustomerRecord> {
  const given = IDENTIFIERS.filter((name) => lookup[name] !== undefined);
  const combination = given.join();
  const select = lookups.get(combination) ?? lookupBy(given);
  lookups.set(combination, select);
  return select({ bankId, ...lookup });
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
 * The columns that a list is sorted by. Together they are unique in a bank, so that no row falls between two pages.
 * Ids rise with the time of creation, so the order of creation is the order of the table itself.
 */
const sortColumns = {
  createdAt: ['id'],
  id: ['id'],
  accountName: ['accountName', 'id'],
  email: ['email'],
} as const satisfies Record<SortField, readonly ('id' | 'accountName' | 'email')[]>;

/** Returns the position of a row in the list, for a cursor. */
export function sortKey(field: SortField, row: { id: string; accountName: string; email: string }): string[] {
  return sortColumns[field].map((column) => row[column]);
}

export function sortKeyLength(field: SortField): number {
  return sortColumns[field].length;
}

/** Selects one page, and the next row if the page is read forwards. Reads no other rows, at any depth. */
export function selectCustomers(bankId: string, query: ListQuery): Statement<CustomerRecord> {
  // The unary plus makes SQLite find the filtered rows first and then sort them. By the index of the order, it would
  // read the whole bank to find them.
  const isFiltered = query.ids !== undefined || query.phrases !== undefined;
  const order = sortColumns[query.field].map((column) =>
    isFiltered ? sql`+${customers[column]}` : customers[column],
  );
  const { where, orderBy, limit } = keysetPage(order, query.descending, query);
  return toStatement(
    queryBuilder
      .select(columns)
      .from(customers)
      .where(and(matchesFilter(bankId, query), where))
      .orderBy(...orderBy)
      .limit(limit)
      .offset(query.offset),
  );
}

/** Selects the ids of the customers that a filter finds: at most as many as it names. */
export function selectFilteredIds(
  bankId: string,
  filter: Pick<ListQuery, 'ids' | 'phrases'>,
): Statement<{ id: string }> {
  return toStatement(
    queryBuilder
      .select(columnsAs({ id: customers.id }))
      .from(customers)
      .where(matchesFilter(bankId, filter)),
  );
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
 * Changes a customer if it has one of the expected revisions, and records who did, and an event if a value changes.
 * Running it again changes nothing, whoever has changed the customer in between.
 * @returns `customer` is the row as it is afterwards; `change` is empty if the change was not made
 */
export function updateCustomerStatements(
  actor: Actor,
  at: number,
  id: string,
  update: CustomerUpdate,
  expected?: string[],
) {
  const { bankId, requestId } = actor;
  const fields = Object.keys(update) as (keyof CustomerUpdate)[];
  const columnOf = (field: keyof CustomerUpdate) => sql.identifier(customers[field].name);
  const changes = fields.map((field) => sql`${columnOf(field)} = ${update[field]}`);
  const differences = fields.map((field) => sql`${columnOf(field)} IS NOT ${update[field]}`);
  const meant = matchesRevision(bankId, id, expected);
  const change = { at, action: 'customer.updated', subject: id, fields } as const;
  return {
    // An update that repeats what is stored, or that was made already, is no event.
    event: insertEvent(
      {
        bankId,
        now: at,
        type: 'customer.updated',
        data: JSON.stringify({ customerId: id, revision: requestId, fields }),
      },
      sql`FROM customers WHERE ${meant} AND (${sql.join(differences, sql` OR `)}) AND NOT ${isRecorded(actor, change)}`,
    ),
    audit: insertChange(actor, change, sql`EXISTS (SELECT 1 FROM customers WHERE ${meant})`),
    update: sql`UPDATE customers SET ${sql.join(changes, sql`, `)}, revision = ${requestId}
        WHERE ${meant} AND revision IS NOT ${requestId} AND ${isLatest(actor, id)}`,
    customer: selectCustomer(bankId, { id }),
    change: selectChange(actor, change),
    due: selectDueEndpoints(bankId, at, 'customer.updated'),
  };
}

/**
 * Deletes a customer: its phrase is retired, and its bank counts one less. Does nothing if there is no such customer. The
 * phrase is in `retired_phrases` already if its bank had taken it to another shard and back.
 * @param condition what else must hold
 * @returns `retired` is the phrase
 */
export function deleteCustomerStatements(bankId: string, id: string, condition: SQL) {
  const meant = sql`${matchesCustomer(bankId, id)} AND ${condition}`;
  return {
    retired: sql<{ phrase: string }>`INSERT INTO retired_phrases (phrase)
        SELECT phrase FROM customers WHERE ${meant}
        ON CONFLICT (phrase) DO UPDATE SET bank_id = NULL RETURNING phrase`,
    count: sql`UPDATE tenants SET customer_count = customer_count - 1
        WHERE bank_id = ${bankId} AND EXISTS (SELECT 1 FROM customers WHERE ${meant})`,
    customer: sql`DELETE FROM customers WHERE ${meant}`,
  };
}

/** What an erasure needs to find a customer's copies. */
export interface CopyKeys {
  email: string;
  clientRef: string;
  /** Null until the customer is stored: nobody has seen its phrase. */
  phrase: string | null;
}

export function selectCopyKeys(bankId: string, id: string): Statement<CopyKeys> {
  return sql<CopyKeys>`SELECT email, client_ref AS clientRef, phrase FROM customers WHERE ${matchesCustomer(bankId, id)}`;
}

export interface CountryRow {
  country: string;
  /** Has the customer one of the revisions that are expected? 0: no. */
  isExpected: number;
}

export function selectCountry(
  bankId: string,
  id: string,
  expected: string[] | undefined,
): Statement<CountryRow> {
  return sql<CountryRow>`SELECT country, (${matchesRevision(bankId, id, expected)}) AS isExpected FROM customers
      WHERE ${matchesCustomer(bankId, id)}`;
}
