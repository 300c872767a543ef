/**
 * What a request may contain beyond the output of its schema: texts are trimmed before they are validated, so there may
 * be spaces around them, and an optional one may be empty. Zod's JSON Schema describes only the output.
 */
import type * as z from 'zod/mini';
import { EMAIL, MAX_EMAIL_CHARACTERS } from '../lib/email.ts';
import { BATCH_RULES, UPDATE_RULES } from '../customers/fields.ts';

export interface JsonSchema {
  [keyword: string]: unknown;
  properties?: Record<string, JsonSchema>;
}

/** Patterns of the text between the spaces, for fields with more rules than a length. */
const TEXTS: Record<string, string> = {
  email: `(?=\\S{1,${MAX_EMAIL_CHARACTERS}}\\s*$)${EMAIL.source.slice(1, -1)}`,
  country: '[A-Za-z]{2}',
  displayPicture: '[Hh][Tt][Tt][Pp][Ss]:[\\s\\S]{0,2041}\\S',
};

/** A text that begins and ends with a visible character. */
const visible = (maxCharacters: number) => `\\S(?:[\\s\\S]{0,${maxCharacters - 2}}\\S)?`;

const anyCase = (word: string) => word.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);

/** A field as it may be sent. Optional fields may be null. */
function fieldAsSent(name: string, field: JsonSchema, isOptional: boolean): JsonSchema {
  const [kept] = (field['anyOf'] as JsonSchema[] | undefined) ?? [field];
  const { enum: words, maxLength = 0 } = kept as { enum?: string[]; maxLength?: number };
  const padded = (text: string) => (isOptional ? `^\\s*(?:${text})?\\s*$` : `^\\s*${text}\\s*$`);
  const nothing = isOptional ? [{ type: 'null' }] : [];
  if (words !== undefined) {
    const pattern = padded(words.map(anyCase).join('|'));
    return { anyOf: [{ type: 'string', enum: [...words, ''] }, { type: 'string', pattern }, ...nothing] };
  }
  const sent = { type: 'string', pattern: padded(TEXTS[name] ?? visible(maxLength)) };
  const description = TEXTS[name] === undefined ? `At most ${maxLength} characters.` : '';
  return isOptional ? { anyOf: [sent, ...nothing], description } : { ...sent, description };
}

/** Components of requests, and the rules of their fields. */
const SENT: Record<string, Record<string, z.ZodMiniType>> = {
  NewCustomer: BATCH_RULES,
  CustomerUpdate: UPDATE_RULES,
};

/** @returns the schema of a component as it may be sent; components of responses stay as they are */
export function asSent(component: string, schema: JsonSchema): JsonSchema {
  const rules = SENT[component];
  if (rules === undefined) return schema;
  const properties = Object.entries(schema.properties ?? {}).map(([name, field]) => [
    name,
    fieldAsSent(name, field, rules[name]?.safeParse(null).success === true),
  ]);
  const { additionalProperties, ...rest } = schema;
  return {
    ...rest,
    // Unknown fields of a row are dropped; those of an update are refused.
    ...(component === 'NewCustomer' ? {} : { additionalProperties, minProperties: 1 }),
    properties: Object.fromEntries(properties) as Record<string, JsonSchema>,
  };
}

/** In a URL, spaces count for the length of an email too. */
export function emailParameter(schema: JsonSchema): JsonSchema {
  const { description: _, ...sent } = fieldAsSent('email', schema, false);
  return { ...sent, maxLength: schema['maxLength'] };
}
