/** A customer that was accepted and waits in its chunk: the order of its fields there. */

export const STAGED_TEXTS = [
  'id',
  'phrase',
  'clientRef',
  'email',
  'accountName',
  'firstname',
  'lastname',
  'middlename',
  'country',
  'address',
  'gender',
  'phone',
  'accountNumber',
  'reference',
] as const;
/**
 * A staged customer is a JSON array of these, in this order: half the size of an object, and the size is what
 * the way to D1 costs. Only the end may be added to while chunks are under way.
 */
export const STAGED_FIELDS = ['index', ...STAGED_TEXTS] as const;
export type StagedField = (typeof STAGED_FIELDS)[number];

/** What no answer ever shows is not for the database to read either. */
export const SEALED_FIELDS = ['accountNumber', 'reference'] as const;

/** The fields that a bank sends, in an order to whose end alone new ones are added. */
export const BATCH_FIELDS = STAGED_TEXTS.filter((field) => field !== 'id' && field !== 'phrase');
