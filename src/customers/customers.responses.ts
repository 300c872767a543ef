/** The shapes of customers in responses. */
import * as z from 'zod/mini';
import { standardCustomer } from './customers.standard.ts';
import { EXTENDED_FIELDS } from './fields.ts';
import { shownShape } from './shown-shape.ts';

const extendedShape = { ...shownShape(EXTENDED_FIELDS), createdAt: z.iso.datetime() };

const extendedCustomer = z.strictObject({ ...standardCustomer.shape, ...extendedShape });
export type ExtendedCustomer = z.output<typeof extendedCustomer>;

/** `z.partial` does the same, and would add 1.8 KB of minified code to the Worker. */
function optionalShape<Shape extends z.core.$ZodShape>(shape: Shape) {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, z.optional(field)])) as {
    [Name in keyof Shape]: z.ZodMiniOptional<Shape[Name]>;
  };
}

/** A customer as any caller sees it: either all of the Extended fields are present, or none. */
export const customer = z.strictObject({ ...standardCustomer.shape, ...optionalShape(extendedShape) });

export const updatedCustomer = z.strictObject({
  id: standardCustomer.shape.id,
  email: extendedShape.email,
  phone: extendedShape.phone,
});
