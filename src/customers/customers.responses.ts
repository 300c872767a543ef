/** The shapes of customers in responses. The Worker takes the types alone. */
import * as z from 'zod/mini';
import { standardCustomer } from './customers.standard.ts';
import { EXTENDED_FIELDS } from './fields.ts';
import { shownShape } from './shown-shape.ts';

const extendedShape = { ...shownShape(EXTENDED_FIELDS), createdAt: z.iso.datetime() };

const extendedCustomer = z.strictObject({ ...standardCustomer.shape, ...extendedShape });
export type ExtendedCustomer = z.output<typeof extendedCustomer>;

/** A customer as any caller sees it: either all of the Extended fields are present, or none. */
export const customer = z.extend(standardCustomer, z.partial(z.object(extendedShape)).shape);

export const updatedCustomer = z.strictObject({
  id: standardCustomer.shape.id,
  email: extendedShape.email,
  phone: extendedShape.phone,
});
