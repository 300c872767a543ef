/** A named shape of the reference: a schema of the code, with a description of every field and an example. */
import type * as z from 'zod/mini';

export interface Component<Example = unknown> {
  schema: z.ZodMiniType;
  description: string;
  /** A description of each field. */
  notes: Record<string, string>;
  example: Example;
}

/** Does not compile unless every field has its description and the example fits the schema. */
export function component<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape>,
  description: string,
  notes: Record<keyof Shape & string, string>,
  example: z.output<z.ZodMiniObject<Shape>>,
): Component<z.output<z.ZodMiniObject<Shape>>> {
  return { schema, description, notes, example };
}
