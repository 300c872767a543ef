/** Customers as a bank sends them. */

export type SentCustomer = Record<string, unknown>;

/** Returns a valid row with all fields; `changes` replace some of them. */
export function sentCustomer(number = 0, changes: SentCustomer = {}): SentCustomer {
  return {
    clientRef: `ref-${number}`,
    firstname: 'Adaobi',
    lastname: 'Okafor',
    middlename: 'Chidinma',
    accountName: `Adaobi Okafor ${number}`,
    email: `adaobi.${number}@example.com`,
    country: 'NG',
    address: '12 Marina Road, Lagos',
    gender: 'female',
    phone: '+2348031234567',
    accountNumber: String(1_000_000_000 + number),
    reference: `internal-${number}`,
    ...changes,
  };
}

export function sentCustomers(count: number, changes: SentCustomer = {}): SentCustomer[] {
  return Array.from({ length: count }, (_, number) => sentCustomer(number, changes));
}
