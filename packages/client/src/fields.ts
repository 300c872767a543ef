/** Generated from the service’s schemas by `npm run client`: do not edit. */
import type { Customer, CustomerUpdate, NewCustomer } from './types.ts';

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

/** Every field that a read shows, in its order. The Extended fields need the scope `customers:read:extended`. */
export const CUSTOMER_FIELDS = {
  id: { extended: false },
  accountName: { extended: false },
  gender: { extended: false },
  displayPicture: { extended: false },
  bankId: { extended: false },
  phrase: { extended: false },
  country: { extended: false },
  state: { extended: true },
  email: { extended: true },
  phone: { extended: true },
  address: { extended: true },
  createdAt: { extended: true },
} as const satisfies Record<keyof Customer, { extended: boolean }>;

/** Every field that an update may change. */
export const UPDATE_FIELDS = [
  'firstname',
  'lastname',
  'middlename',
  'accountName',
  'address',
  'phone',
  'displayPicture',
  'state',
] as const satisfies (keyof CustomerUpdate)[];
