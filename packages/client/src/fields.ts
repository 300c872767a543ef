/** Generated from the service’s schemas by `npm run client`: do not edit. */
import type { NewCustomer } from './types.ts';

/** Every field of a new customer, in the order of the contract. */
export const NEW_CUSTOMER_FIELDS = {
  clientRef: { required: true },
  firstname: { required: true },
  lastname: { required: true },
  middlename: { required: false },
  accountName: { required: true },
  email: { required: true },
  country: { required: true },
  address: { required: false },
  gender: { required: false },
  phone: { required: false },
  accountNumber: { required: true },
  reference: { required: true },
} as const satisfies Record<keyof NewCustomer, { required: boolean }>;
