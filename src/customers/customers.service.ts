/** Looks up, lists and updates customers. Free of HTTP. */
import { selectCustomerCount } from '../databases/tenant.store.ts';
import { isCacheable } from '../databases/home.ts';
import type { Tenant, Tenants } from '../databases/tenant.ts';
import { wakeEndpoints, type WakeDeps } from '../events/webhook-queue.ts';
import type { Runtime } from '../runtime.ts';
import { customerKey, type CachedCustomer, type PhraseCache } from './phrase-cache.ts';
import { AppError, invalid } from '../errors.ts';
import { confirmCaller, type ActingCaller, type Caller } from '../api-keys/caller.ts';
import { readPosition, toPage, type List, type Page } from '../paging/cursor.ts';
import { isInternational, toE164 } from '../lib/phone.ts';
import { normalisePhrase } from '../lib/phrase.ts';
import { PHONE_FAULT } from './field-rules.ts';
import {
  PRIVATE_SORT_CHARACTERS,
  possiblePhrases,
  type CustomerList,
  type CustomerLookup,
  type CustomerUpdate,
} from './customers.requests.ts';
import {
  selectCountry,
  selectCustomer,
  selectFilteredIds,
  selectCustomers,
  sortKey,
  sortKeyLength,
  updateCustomerStatements,
  type ListQuery,
} from './customers.store.ts';
import type { Payee } from './customers.standard.ts';
import {
  revisionOf,
  seesExtended,
  toPayee,
  toView,
  type CustomerRecord,
  type CustomerView,
} from './customers.view.ts';

export interface CustomerDeps extends WakeDeps {
  databases: Tenants;
  phraseCache: PhraseCache<CachedCustomer>;
  payeeCache: PhraseCache<Payee>;
  runtime: Pick<Runtime, 'now' | 'log'>;
  /** Work that the response does not wait for. */
  runAfterResponse: (work: Promise<void>) => void;
}

export interface LookUp {
  found: { customer: CustomerView; revision: string } | null;
  cache: 'HIT' | 'MISS' | 'BYPASS';
}

/**
 * Looks up a customer of the caller's bank by id, email or phrase. A lookup by phrase alone is served from the cache if
 * the caller sees the Standard fields only.
 * @param fresh skips the cache
 * @returns null for an unknown customer and for another bank's alike
 * @throws what `confirmCaller` throws, unless the cache has the customer
 */
export async function lookUpCustomer(
  deps: CustomerDeps,
  caller: Caller,
  lookup: CustomerLookup,
  fresh: boolean,
): Promise<LookUp> {
  const phrase = lookup.phrase === undefined ? undefined : normalisePhrase(lookup.phrase);
  const phraseAlone = lookup.id === undefined && lookup.email === undefined;
  if (phrase && phraseAlone && !fresh && !seesExtended(caller.scopes)) {
    return lookUpCached(deps, caller, phrase);
  }
  const confirmed = await confirmCaller(caller);
  if (phrase === null) return { found: null, cache: 'BYPASS' };
  const { row } = await deps.databases
    .tenantOf(confirmed)
    .findNearest(selectCustomer(confirmed.bankId, { ...lookup, phrase }));
  if (row === undefined) return { found: null, cache: 'BYPASS' };
  const customer = toView(row, seesExtended(confirmed.scopes));
  return { found: { customer, revision: revisionOf(row) }, cache: 'BYPASS' };
}

async function lookUpCached(deps: CustomerDeps, caller: Caller, phrase: string): Promise<LookUp> {
  const key = customerKey(caller.bankId, phrase);
  const cached = await deps.phraseCache.read(key);
  if (cached !== null) return { found: cached, cache: 'HIT' };
  const { jurisdictions, ...confirmed } = await confirmCaller(caller);
  const tenant = deps.databases.tenantOf(confirmed);
  const statement = selectCustomer(confirmed.bankId, { phrase });
  const source = {
    nearest: () => tenant.findNearest(statement),
    primary: () => tenant.findPrimary(statement),
    isCacheable: () => isCacheable(jurisdictions, tenant.home.shard),
    toValue: (row: CustomerRecord | undefined) => (row === undefined ? null : toCached(row)),
  };
  const found = await deps.phraseCache.readThrough(key, source, deps.runAfterResponse);
  return { found, cache: 'MISS' };
}

function toCached(row: CustomerRecord): CachedCustomer {
  return { customer: toView(row, false), revision: revisionOf(row) };
}

export interface CustomerPage {
  page: Page<CustomerView>;
  total: number;
  /** Ids of all customers that the filters found, on any page; undefined without filters. */
  found: string[] | undefined;
  /** The list that the page's cursors are bound to. */
  list: List;
}

/**
 * Reads one page of the customers of the caller's bank. By cursor: one D1 call, at most `limit + 2` rows read.
 * A page by number reads all rows before it, so the count is read first: two calls.
 */
export async function readCustomers(
  deps: CustomerDeps,
  caller: Caller,
  query: CustomerList,
): Promise<CustomerPage> {
  const { sortBy, limit } = query;
  const order = `${sortBy.descending ? '-' : ''}${sortBy.field}`;
  const list: List = { name: `customers ${order}`, key: caller.cursorKey };
  const maxKeyCharacters = PRIVATE_SORT_CHARACTERS[sortBy.field];
  if (maxKeyCharacters !== undefined) list.maxKeyCharacters = maxKeyCharacters;
  const statement = {
    ids: query.ids,
    phrases: query.phrases && possiblePhrases(query.phrases),
    ...sortBy,
    limit,
    offset: ((query.page ?? 1) - 1) * limit,
    position: await readPosition(list, sortKeyLength(sortBy.field), query.cursor),
  };
  const { rows, total, found } = await readPage(deps.databases.tenantOf(caller), statement);
  const page = toPage(
    rows,
    limit,
    statement.position,
    (row) => sortKey(sortBy.field, row),
    statement.offset > 0,
  );
  const extended = seesExtended(caller.scopes);
  return { page: { ...page, rows: page.rows.map((row) => toView(row, extended)) }, total, found, list };
}

interface ListSize {
  total: number;
  found: string[] | undefined;
}

/** How long is the list? For a filtered one, the ids that the filter finds; otherwise the bank's own count. */
function listSize(bankId: string, query: ListQuery) {
  const isFiltered = query.ids !== undefined || query.phrases !== undefined;
  const statements = {
    ids: isFiltered ? [selectFilteredIds(bankId, query)] : [],
    count: isFiltered ? [] : [selectCustomerCount(bankId)],
  };
  const toSize = ({ ids, count }: { ids: { id: string }[]; count: { total: number }[] }): ListSize =>
    isFiltered
      ? { total: ids.length, found: ids.map(({ id }) => id) }
      : { total: count[0]?.total ?? 0, found: undefined };
  return { statements, toSize };
}

async function readPage(tenant: Tenant, query: ListQuery) {
  const { bankId } = tenant;
  const rows = selectCustomers(bankId, query);
  const { statements, toSize } = listSize(bankId, query);
  if (query.offset === 0) {
    const results = await tenant.readNearest({ rows, ...statements });
    return { rows: results.rows, ...toSize(results) };
  }
  // A page by number may lie behind the end, and D1 would read every row in front of it.
  const size = toSize(await tenant.readNearest(statements));
  if (query.offset >= size.total) return { rows: [], ...size };
  const [page] = await tenant.readNearest([rows]);
  return { rows: page, ...size };
}

/**
 * Updates a customer of the actor's bank, and records the change in the audit log.
 * @param expected revisions, one of which must be the customer's; undefined accepts any
 * @returns the row as it is now
 * @throws PRECONDITION_FAILED if the customer has another revision
 */
export async function updateCustomer(
  deps: CustomerDeps,
  actor: ActingCaller,
  id: string,
  update: CustomerUpdate,
  expected: string[] | undefined,
): Promise<CustomerRecord> {
  const tenant = deps.databases.tenantOf(actor);
  const readable = await withE164Phone(tenant, id, update, expected);
  const startedAt = deps.runtime.now();
  const statements = updateCustomerStatements(actor, startedAt, id, readable, expected);
  const { customer, change, due } = await tenant.writeRepeatable(statements);
  const [row] = customer;
  if (row === undefined) throw new AppError('CUSTOMER_NOT_FOUND');
  if (change.length === 0) throw preconditionFailed();
  deps.runAfterResponse(wakeEndpoints(deps, tenant.home, due));
  if (!isCacheable(actor.jurisdictions, tenant.home.shard)) return row;
  deps.runAfterResponse(deps.phraseCache.writeThrough(toCached(row), startedAt));
  if (update.accountName !== undefined || update.displayPicture !== undefined) {
    deps.runAfterResponse(deps.payeeCache.writeThrough(toPayee(row), startedAt));
  }
  return row;
}

/** Returns the 412 for an outdated If-Match. */
export function preconditionFailed(): AppError {
  const message = 'is not the customer’s ETag any more; read it again, and decide anew';
  return new AppError('PRECONDITION_FAILED', { errors: [{ field: 'If-Match', message }] });
}

/**
 * Converts the phone number to E.164. A national number needs the customer's country, and so one more read. The revision
 * is checked first, so that the number's fault tells a caller with an outdated one nothing about the country.
 */
async function withE164Phone(
  tenant: Tenant,
  id: string,
  update: CustomerUpdate,
  expected: string[] | undefined,
) {
  if (typeof update.phone !== 'string') return update;
  let country: string | undefined;
  if (!isInternational(update.phone)) {
    const [[row]] = await tenant.readPrimary([selectCountry(tenant.bankId, id, expected)]);
    if (row === undefined) throw new AppError('CUSTOMER_NOT_FOUND');
    if (row.isExpected === 0) throw preconditionFailed();
    country = row.country;
  }
  const phone = toE164(update.phone, country);
  if (phone === null) throw invalid('update.phone', PHONE_FAULT);
  return { ...update, phone };
}
