/** What a read may show of a customer: two allow-lists, chosen by the key's scope and nothing else. */
import { customers } from '../db/schema.ts';
import type { ExtendedCustomer } from './customers.responses.ts';
import type { StandardCustomer } from './customers.standard.ts';

/** The contract's Standard fields, in its order. The only ones that ever lie in KV. */
export const standardColumns = {
  id: customers.id,
  accountName: customers.accountName,
  gender: customers.gender,
  displayPicture: customers.displayPicture,
  bankId: customers.bankId,
  phrase: customers.phrase,
  country: customers.country,
};

/** Standard and Extended fields, and the revision. `createdAt` is milliseconds here and ISO 8601 in an answer. */
export const extendedColumns = {
  ...standardColumns,
  state: customers.state,
  email: customers.email,
  phone: customers.phone,
  address: customers.address,
  createdAt: customers.createdAt,
  revision: customers.revision,
};

export type CustomerView = StandardCustomer | ExtendedCustomer;

/** Does this caller see the Extended fields? */
export function seesExtended(scopes: ReadonlySet<string>): boolean {
  return scopes.has('customers:read:extended');
}

/** A row of `extendedColumns`. */
export type CustomerRecord = Omit<ExtendedCustomer, 'createdAt'> & {
  createdAt: number;
  revision: string | null;
};

/** A row, cut to what the caller may see. */
export function toView(row: CustomerRecord, extended: boolean): CustomerView {
  // Field by field: a page's fifty rows taken apart with `...` cost more than D1's answer takes to read.
  const { id, accountName, gender, displayPicture, bankId, phrase, country } = row;
  if (!extended) return { id, accountName, gender, displayPicture, bankId, phrase, country };
  const { state, email, phone, address } = row;
  const createdAt = toIsoTime(row.createdAt);
  return {
    id,
    accountName,
    gender,
    displayPicture,
    bankId,
    phrase,
    country,
    state,
    email,
    phone,
    address,
    createdAt,
  };
}

let written = { milliseconds: 0, text: new Date(0).toISOString() };

/** The last one is kept: a batch's customers share their moment, and to write it out costs as much as their rows. */
function toIsoTime(milliseconds: number): string {
  if (written.milliseconds !== milliseconds) {
    written = { milliseconds, text: new Date(milliseconds).toISOString() };
  }
  return written.text;
}

/** What a customer's ETag says: the request that changed it last; of one that nobody has changed, its id. */
export function revisionOf(row: { id: string; revision: string | null }): string {
  return row.revision ?? row.id;
}
