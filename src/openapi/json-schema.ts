/** Converts the schemas of the code to JSON Schema (2020-12), as OpenAPI 3.1 uses it. */
import * as z from 'zod/mini';
import type { Component } from './component.ts';
import { COMPONENTS } from './components.ts';
import { asSent, type JsonSchema } from './sent.ts';

const named = z.registry<{ id: string }>();
for (const [id, { schema }] of Object.entries(COMPONENTS)) named.add(schema, { id });

/** Removes what says nothing: the bounds of `int()`, and the pattern of a date, whose format says the same. */
function tidy(made: { jsonSchema: object }): void {
  const schema = made.jsonSchema as JsonSchema;
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema['format'] === 'date-time') delete schema['pattern'];
  // A text that must not be empty is trimmed first.
  if (schema['minLength'] === 1) schema['pattern'] ??= '\\S';
  if (schema['type'] === 'number' && Number.isInteger(schema['minimum'])) schema['type'] = 'integer';
}

const OPTIONS = { metadata: named, unrepresentable: 'any', override: tidy } as const;
const uri = (name: string) => `#/components/schemas/${name}`;

/** Describes the output of a schema. For a request that is the input after it was cleaned: sent.ts has the input. */
export function toJsonSchema(schema: z.ZodMiniType): JsonSchema {
  const name = named.get(schema)?.id;
  if (name !== undefined) return { $ref: uri(name) };
  const { $schema: _, $defs: __, ...made } = z.toJSONSchema(schema, OPTIONS) as JsonSchema;
  return JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', `"${uri('')}`)) as JsonSchema;
}

/** Every named shape, with the descriptions of its fields. */
export function describeComponents(): Record<string, JsonSchema> {
  const made = z.toJSONSchema(named, { ...OPTIONS, uri }) as unknown as {
    schemas: Record<string, JsonSchema>;
  };
  return Object.fromEntries(
    Object.entries<Component>(COMPONENTS).map(([name, { description, notes, example }]) => {
      const { $schema: _, $id: __, id: ___, ...exact } = made.schemas[name] ?? {};
      const schema = asSent(name, exact);
      const properties = describeFields(schema.properties, notes);
      const described = schema.properties === undefined ? {} : { properties };
      return [name, { ...schema, description, ...described, examples: [example] }];
    }),
  );
}

/** @throws if a field has no description, or a description no field */
export function describeFields(
  properties: Record<string, JsonSchema> | undefined = {},
  notes: Record<string, string>,
): Record<string, JsonSchema> {
  const [fields, words] = [Object.keys(properties), Object.keys(notes)];
  const wrong = [...fields.filter((f) => !words.includes(f)), ...words.filter((w) => !fields.includes(w))];
  if (wrong.length > 0) throw new Error(`the reference and the schema differ in ${wrong.join(', ')}`);
  return Object.fromEntries(
    Object.entries(properties).map(([field, schema]) => [
      field,
      { ...schema, description: [notes[field], schema['description']].filter(Boolean).join(' ') },
    ]),
  );
}
