/** A staged customer: one that was accepted and waits in its chunk for the consumer. */
import { customers } from '../customers/customers.table.ts';
import { STAGED_TEXTS, type StagedText } from '../customers/fields.ts';

export type StagedField = 'index' | StagedText;

/**
 * A staged customer is a JSON array of these, in this order: an array is half as large as an object, and size is what
 * writing to D1 costs. A stored format: new fields are added at the end (`staged` in customers/fields.ts).
 */
export const STAGED_FIELDS: readonly StagedField[] = ['index', ...STAGED_TEXTS];

/** The column of `customers` that each staged field is written to, in the same order. */
export const STAGED_COLUMNS: readonly string[] = [
  customers.batchIndex.name,
  ...STAGED_TEXTS.map((field) => customers[field].name),
];
