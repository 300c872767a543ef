/** The schemas of fields as a read shows them, derived from their columns. */
import * as z from 'zod/mini';
import type { Column } from 'drizzle-orm';
import { customers } from './customers.table.ts';
import type { ExtendedField, StandardField } from './fields.ts';

type Stored = typeof customers.$inferSelect;
/** Times are stored as numbers, and shown as text. */
type Shown<Value> = Value extends number ? string : Value;

export function shownShape<Name extends StandardField | ExtendedField>(names: readonly Name[]) {
  return Object.fromEntries(names.map((name) => [name, schemaOf(customers[name])])) as {
    [Field in Name]: z.ZodMiniType<Shown<Stored[Field]>>;
  };
}

function schemaOf({ enumValues, notNull }: Column): z.ZodMiniType {
  const schema = enumValues === undefined ? z.string() : z.enum(enumValues);
  return notNull ? schema : z.nullable(schema);
}
