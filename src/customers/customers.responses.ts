/** What answers about customers hold. The Worker takes the types alone. */
import * as z from 'zod/mini';
import { standardCustomer } from './customers.standard.ts';

const extendedFields = {
  state: z.nullable(z.string()),
  email: z.string(),
  phone: z.nullable(z.string()),
  address: z.nullable(z.string()),
  createdAt: z.iso.datetime(),
};

const extendedCustomer = z.strictObject({ ...standardCustomer.shape, ...extendedFields });
export type ExtendedCustomer = z.output<typeof extendedCustomer>;

/** As a caller sees it: the Extended fields are there with the scope for them, all of them or none. */
export const customer = z.extend(standardCustomer, z.partial(z.object(extendedFields)).shape);

export const updatedCustomer = z.strictObject({
  id: z.string(),
  email: z.string(),
  phone: z.nullable(z.string()),
});
