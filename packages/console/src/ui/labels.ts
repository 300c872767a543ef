/** The fields of a customer as people read them, wherever the console names one. */
import type { Customer, CustomerUpdate, NewCustomer } from '@peere/client';

export const LABELS: Record<keyof Customer | keyof CustomerUpdate | keyof NewCustomer, string> = {
  id: 'Id',
  accountName: 'Account name',
  accountNumber: 'Account number',
  gender: 'Gender',
  displayPicture: 'Picture',
  bankId: 'Bank',
  phrase: 'Phrase',
  country: 'Country',
  state: 'State or region',
  email: 'Email',
  phone: 'Phone',
  address: 'Address',
  createdAt: 'Added',
  firstname: 'First name',
  lastname: 'Last name',
  middlename: 'Middle names',
  clientRef: 'Customer reference',
  reference: 'Internal reference',
};

/** @returns the field's own name, where the service names its place in a request: `update.address` */
export const fieldNameOf = (field: string): string => field.replace(/^update\./, '');

/** @param field as the service names it; one that is not of a customer stays as it is */
export function labelOf(field: string): string {
  const name = fieldNameOf(field);
  return name in LABELS ? LABELS[name as keyof typeof LABELS] : name;
}

/** `Country, Email and Phone`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** What is wrong with a row or a request. @param faults as the service words them: `is required`, of the field `email` */
export function faultsInWords(faults: readonly { field: string; message: string }[]): string {
  return faults.map(({ field, message }) => `${labelOf(field)} ${message}`).join('; ');
}
