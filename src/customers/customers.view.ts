/** What a read may show of a customer: the Standard or the Extended fields, chosen by the API key's scopes alone. */
import { customers } from './customers.table.ts';
import type { ExtendedCustomer } from './customers.responses.ts';
import type { Payee, StandardCustomer } from './customers.standard.ts';
import { EXTENDED_FIELDS, STANDARD_FIELDS } from './fields.ts';

const RECORD_FIELDS = [...STANDARD_FIELDS, ...EXTENDED_FIELDS, 'revision'] as const;
type RecordField = (typeof RECORD_FIELDS)[number];

/** Columns of the Standard and Extended fields, and the revision. */
export const recordColumns = Object.fromEntries(
  RECORD_FIELDS.map((field) => [field, customers[field]]),
) as Pick<typeof customers, RecordField>;

/** A row of `recordColumns`. `createdAt` is in milliseconds here, and in ISO 8601 in a view. */
export type CustomerRecord = Pick<typeof customers.$inferSelect, RecordField>;

export type CustomerView = StandardCustomer | ExtendedCustomer;

/** Returns whether a caller with these scopes sees the Extended fields. */
export function seesExtended(scopes: ReadonlySet<string>): boolean {
  return scopes.has('customers:read:extended');
}

/** Returns the fields of a row that the caller may see. */
export function toView(row: CustomerRecord, extended: boolean): CustomerView {
  return extended ? toExtendedCustomer(row) : toStandardCustomer(row);
}

// Both are written out, because a loop over the names or `...` takes ten times as long: 15 µs more for a page of 50 rows.
// The return types demand each field of fields.ts.

function toStandardCustomer(row: CustomerRecord): StandardCustomer {
  const { id, accountName, gender, displayPicture, bankId, phrase, country } = row;
  return { id, accountName, gender, displayPicture, bankId, phrase, country };
}

function toExtendedCustomer(row: CustomerRecord): ExtendedCustomer {
  const { id, accountName, gender, displayPicture, bankId, phrase, country } = row;
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

/** Returns what another bank may know of a customer. */
export function toPayee({ phrase, accountName, displayPicture, bankId, country }: Payee): Payee {
  return { phrase, accountName, displayPicture, bankId, country };
}

let lastTime = { milliseconds: 0, text: new Date(0).toISOString() };

/** Keeps the last text: a batch's customers share their time, and formatting it costs as much as reading their rows. */
function toIsoTime(milliseconds: number): string {
  if (lastTime.milliseconds !== milliseconds) {
    lastTime = { milliseconds, text: new Date(milliseconds).toISOString() };
  }
  return lastTime.text;
}

/** Returns the value of a customer's ETag: the request that changed it last, or its id if none has. */
export function revisionOf(row: { id: string; revision: string | null }): string {
  return row.revision ?? row.id;
}
