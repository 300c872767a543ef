/** The fields of a customer that can be changed, and the texts of a form that changes them. */
import { CUSTOMER_FIELDS, UPDATE_FIELDS, type Customer, type CustomerUpdate } from '@peere/client';

export type UpdateField = (typeof UPDATE_FIELDS)[number];

/** Can be changed, and is never shown by a read. */
export const isWriteOnly = (field: UpdateField) => !(field in CUSTOMER_FIELDS);

/** The fields of the form: those that can be seen come first. */
export const EDITED_FIELDS = UPDATE_FIELDS.toSorted(
  (one, other) => Number(isWriteOnly(one)) - Number(isWriteOnly(other)),
);

/** What a form has: a text for each field. One that is empty clears the field, or leaves a write-only one as it is. */
export type Draft = Record<UpdateField, string>;

export function toDraft(customer: Customer): Draft {
  const shown = (field: UpdateField) => (isWriteOnly(field) ? '' : (customer[field as keyof Customer] ?? ''));
  return Object.fromEntries(UPDATE_FIELDS.map((field) => [field, shown(field)])) as Draft;
}

/** The fields of a draft that differ from what they were when it was begun. */
export function changesOf(draft: Draft, base: Draft): CustomerUpdate {
  const changed = UPDATE_FIELDS.filter((field) => draft[field].trim() !== base[field]);
  return Object.fromEntries(changed.map((field) => [field, draft[field].trim() || null]));
}
