/**
 * A fingerprint of what a batch's rows mean. A retry with the same Idempotency-Key must have the same one, also after a
 * deployment has added a field. Spaces, the order of keys and unknown keys make no difference.
 * It is stored, and covers account numbers: without the field key, ten digits could be found by trying.
 */
import { hmacHex, type FieldKey } from '../../crypto/field-cipher.ts';
import type { Runtime } from '../../runtime.ts';
import { BATCH_FIELDS } from '../../customers/fields.ts';
import { inTurns } from './turns.ts';

type Turns = Pick<Runtime, 'sleep'>;
/** Returns the field key of a version, or the newest. */
type FieldKeyOf = (version?: number) => Promise<FieldKey>;

/**
 * `v2.12.1.ab…`: the version of the format, how many fields were known, the version of the field key, and an HMAC.
 * Fields are only ever added at the end of BATCH_FIELDS, so their number says which ones were known.
 */
const FORMAT = /^v2\.(?<fields>\d+)\.(?<key>\d+)\./;

export async function createFingerprint(
  runtime: Turns,
  rows: unknown[],
  fieldKeyOf: FieldKeyOf,
): Promise<string> {
  return fingerprintOf(runtime, rows, BATCH_FIELDS.length, await fieldKeyOf());
}

/** Do these rows mean what the rows of a recorded fingerprint did? */
export async function matchesFingerprint(
  runtime: Turns,
  recorded: string,
  rows: unknown[],
  fieldKeyOf: FieldKeyOf,
): Promise<boolean> {
  const { fields, key } = FORMAT.exec(recorded)?.groups ?? {};
  if (fields === undefined) {
    return recorded === (await fingerprintOfVersion1(rows, await fieldKeyOf(Number.parseInt(recorded, 10))));
  }
  return recorded === (await fingerprintOf(runtime, rows, Number(fields), await fieldKeyOf(Number(key))));
}

async function fingerprintOf(
  runtime: Turns,
  rows: unknown[],
  fieldCount: number,
  fieldKey: FieldKey,
): Promise<string> {
  const fields = BATCH_FIELDS.slice(0, fieldCount);
  const meaning = await inTurns(runtime, rows, (slice) => {
    const list = JSON.stringify(slice.map((row) => meaningOf(row, fields)));
    return list.slice(1, -1);
  });
  return `v2.${fieldCount}.${await hmacHex(fieldKey, `[${meaning.join()}]`)}`;
}

function meaningOf(row: unknown, fields: readonly string[]): unknown {
  if (!isObject(row)) return 'no object';
  return fields.flatMap((field) => {
    const value = valueOf(row, field);
    return value === null ? [] : [field, value];
  });
}

/** Version 0.1.0 covered these fields by position. A key is remembered for 72 hours, so this may go after the next version. */
const VERSION_1_FIELDS = [
  'clientRef',
  'firstname',
  'lastname',
  'middlename',
  'accountName',
  'email',
  'country',
  'address',
  'gender',
  'phone',
  'accountNumber',
  'reference',
];

function fingerprintOfVersion1(rows: unknown[], fieldKey: FieldKey): Promise<string> {
  const meaning = rows.map((row) =>
    isObject(row) ? VERSION_1_FIELDS.map((field) => valueOf(row, field)) : 'no object',
  );
  return hmacHex(fieldKey, JSON.stringify(meaning));
}

function isObject(row: unknown): row is object {
  return typeof row === 'object' && row !== null && !Array.isArray(row);
}

/** What a field holds; null if it is absent. No field may hold a list or an object, so one is as wrong as the other. */
function valueOf(row: object, field: string): unknown {
  const value: unknown = Object.hasOwn(row, field) ? Reflect.get(row, field) : null;
  if (typeof value === 'object' && value !== null) return ['nested'];
  // JSON has no Infinity, which 1e400 is read as.
  return typeof value === 'number' ? ['number', String(value)] : (value ?? null);
}
