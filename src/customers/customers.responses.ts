/** The shapes of customers in responses. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';
import { standardCustomer } from './customers.standard.ts';
import { EXTENDED_FIELDS } from './fields.ts';
import { shownShape } from './shown-shape.ts';

const extendedShape = once(() => ({ ...shownShape(EXTENDED_FIELDS), createdAt: z.iso.datetime() }));

const extendedCustomer = once(() => z.strictObject({ ...standardCustomer.shape, ...extendedShape() }));
export type ExtendedCustomer = z.output<ReturnType<typeof extendedCustomer>>;

/** `z.partial` does the same, and would add 1.8 KB of minified code to the Worker. */
function optionalShape<Shape extends z.core.$ZodShape>(shape: Shape) {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, z.optional(field)])) as {
    [Name in keyof Shape]: z.ZodMiniOptional<Shape[Name]>;
  };
}

/** A customer as any caller sees it: either all of the Extended fields are present, or none. */
export const customer = once(() =>
  z.strictObject({ ...standardCustomer.shape, ...optionalShape(extendedShape()) }),
);

export const updatedCustomer = once(() =>
  z.strictObject({
    id: standardCustomer.shape.id,
    email: extendedShape().email,
    phone: extendedShape().phone,
  }),
);
