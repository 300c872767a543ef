/**
 * Generates customers like those of a bank's export: Nigerian and Ghanaian names, phone numbers in both notations, and
 * about 2 % of rows with the faults of real exports. The seed is fixed, so that every run generates the same people.
 */
import { Faker, en, en_GH, en_NG } from '@faker-js/faker';

export interface SentCustomer {
  [field: string]: unknown;
}

const COUNTRIES = [
  {
    code: 'NG',
    locale: en_NG,
    mobile: ['803', '806', '813', '905'],
    digits: 7,
    calling: '234',
    street: 'Lagos',
  },
  { code: 'GH', locale: en_GH, mobile: ['24', '54', '20', '50'], digits: 7, calling: '233', street: 'Accra' },
];

/** One row in fifty gets one of these faults. */
const FAULTS: ((row: SentCustomer, previous: SentCustomer) => SentCustomer)[] = [
  (row) => ({ ...row, accountNumber: undefined }),
  (row) => ({ ...row, firstname: '   ' }),
  (row) => ({ ...row, email: String(row['email']).replace('@', ' at ') }),
  (row) => ({ ...row, country: 'Nigeria' }),
  (row) => ({ ...row, phone: '0000' }),
  (row) => ({ ...row, gender: 'F' }),
  (_, previous) => ({ ...previous }),
  (row) => ({ ...row, email: null }),
  (row) => ({
    ...row,
    lastname: `  ${String(row['lastname'])} `,
    email: ` ${String(row['email']).toUpperCase()} `,
  }),
  (row) => ({ ...row, firstname: 'Ade\u0301bo\u0323la\u0301', middlename: '' }),
];

/**
 * @param seed the same seed gives the same people
 * @param domain of the email addresses; another domain gives other customers with the same names
 */
export function generateCustomers(count: number, seed = 20_261_122, domain = 'example.com'): SentCustomer[] {
  const faker = new Faker({ locale: [en_NG, en_GH, en] });
  faker.seed(seed);
  const people = COUNTRIES.map(({ locale }) => {
    const local = new Faker({ locale: [locale, en] });
    local.seed(seed);
    return local.person;
  });
  const rows: SentCustomer[] = [];
  for (let number = 0; number < count; number += 1) {
    const which = faker.number.int({ max: COUNTRIES.length - 1 });
    const country = COUNTRIES[which] ?? COUNTRIES[0];
    const person = people[which] ?? faker.person;
    if (country === undefined) throw new Error('there are no countries');
    const gender = faker.helpers.arrayElement(['female', 'male'] as const);
    const firstname = person.firstName(gender);
    const lastname = person.lastName(gender);
    const digits = faker.helpers.arrayElement(country.mobile) + faker.string.numeric(country.digits);
    const row: SentCustomer = {
      clientRef: `core-${String(number + 1).padStart(7, '0')}`,
      firstname,
      lastname,
      middlename: faker.helpers.maybe(() => person.firstName(gender), { probability: 0.4 }),
      accountName: `${firstname} ${lastname}`,
      email: `${firstname}.${lastname}.${number}@${domain}`.toLowerCase().replace(/[^\w.@-]/g, ''),
      country: country.code,
      address: faker.helpers.maybe(
        () => `${faker.number.int({ min: 1, max: 200 })} ${lastname} Street, ${country.street}`,
      ),
      gender,
      phone: faker.datatype.boolean() ? `0${digits}` : `+${country.calling} ${digits}`,
      accountNumber: faker.string.numeric(10),
      reference: `import-${number + 1}`,
    };
    const isFaulty = number > 0 && faker.number.int({ min: 1, max: 50 }) === 1;
    rows.push(isFaulty ? faker.helpers.arrayElement(FAULTS)(row, rows[number - 1] ?? row) : row);
  }
  return rows;
}
