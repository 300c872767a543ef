/** The sealed fields of a customer, which are stored as one value. Nothing in the service opens it. */
import { sealField, type FieldKey } from '../crypto/field-cipher.ts';
import { SEALED_FIELDS, type SealedField } from './fields.ts';

/** What the value is bound to, besides its bank and its customer. */
export const SEALED_VALUE = 'sealedFields';

/** One line for each of SEALED_FIELDS, in their order: a stored format. Their rules leave no line break in a value. */
export function sealFields(
  fieldKey: FieldKey,
  bankId: string,
  customerId: string,
  row: Record<SealedField, string>,
): Promise<string> {
  const owner = { bankId, ownerId: customerId, field: SEALED_VALUE };
  return sealField(fieldKey, owner, SEALED_FIELDS.map((field) => row[field]).join('\n'));
}
