/** Which column is which field. Names are compared without case, spaces and signs: `First Name` is `first_name`. */
import type { NewCustomer } from '../types.ts';
import { ImportFault } from './fault.ts';

export type Field = keyof NewCustomer;

/** Every field, whether it must be there, and what exports call it besides its own name. */
const FIELDS = {
  clientRef: {
    required: true,
    aliases: ['clientreference', 'customerid', 'customerref', 'customerno', 'cif', 'externalid'],
  },
  firstname: { required: true, aliases: ['givenname', 'forename'] },
  lastname: { required: true, aliases: ['surname', 'familyname'] },
  middlename: { required: false, aliases: ['middlenames', 'othername', 'othernames'] },
  accountName: { required: true, aliases: ['fullname', 'nameofaccount'] },
  email: { required: true, aliases: ['emailaddress', 'mail'] },
  country: { required: true, aliases: ['countrycode', 'countryiso'] },
  address: { required: false, aliases: ['streetaddress', 'residentialaddress'] },
  gender: { required: false, aliases: ['sex'] },
  phone: {
    required: false,
    aliases: ['phonenumber', 'mobile', 'mobilenumber', 'mobilephone', 'msisdn', 'telephone'],
  },
  accountNumber: { required: true, aliases: ['accountno', 'acctno', 'acctnumber', 'nuban', 'iban'] },
  reference: { required: true, aliases: ['ref', 'internalreference', 'internalref'] },
} as const satisfies Record<Field, { required: boolean; aliases: readonly string[] }>;

export const FIELD_NAMES = Object.keys(FIELDS) as Field[];

/** What the importer adds to a row that failed, and drops when it is given one. */
export const FAILURE_COLUMNS = ['failure_code', 'failure_reason'] as const;

/** Position of the column of each field. */
export type Columns = Map<Field, number>;

const plain = (name: string) => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

function fieldOf(header: string): Field | undefined {
  const name = plain(header);
  return FIELD_NAMES.find((field) => {
    const aliases: readonly string[] = FIELDS[field].aliases;
    return field.toLowerCase() === name || aliases.includes(name);
  });
}

/**
 * @param map what the user said: `firstname=Vorname`
 * @returns the columns, and headers that are of no field
 */
export function mapColumns(headers: string[], map: string[]): { columns: Columns; ignored: string[] } {
  const columns: Columns = new Map();
  const said = readMap(headers, map);
  for (const [field, position] of said) columns.set(field, position);
  const taken = new Set(said.values());
  const ignored: string[] = [];
  for (const [position, header] of headers.entries()) {
    if (taken.has(position)) continue;
    const field = fieldOf(header);
    if (field === undefined || said.has(field)) {
      if (!FAILURE_COLUMNS.some((column) => column === header)) ignored.push(header);
      continue;
    }
    const other = columns.get(field);
    if (other !== undefined) {
      throw new ImportFault(
        `Two columns are ${field}: "${headers[other]}" and "${header}". Say which: --map ${field}="${header}"`,
      );
    }
    columns.set(field, position);
  }
  const missing = FIELD_NAMES.filter((field) => FIELDS[field].required && !columns.has(field));
  if (missing.length > 0) {
    throw new ImportFault(
      `No column is ${missing.join(', ')}. There are: ${headers.map((header) => `"${header}"`).join(', ')}. ` +
        `Say which is which: --map ${missing[0]}="…"`,
    );
  }
  return { columns, ignored };
}

function readMap(headers: string[], map: string[]): Columns {
  const columns: Columns = new Map();
  for (const pair of map) {
    const [name = '', ...rest] = pair.split('=');
    const [field, header] = [
      FIELD_NAMES.find((known) => known.toLowerCase() === plain(name)),
      rest.join('='),
    ];
    if (field === undefined) {
      throw new ImportFault(`--map ${pair}: "${name}" is not a field. There are: ${FIELD_NAMES.join(', ')}.`);
    }
    const position = headers.findIndex((known) => plain(known) === plain(header));
    if (position < 0) {
      throw new ImportFault(
        `--map ${pair}: there is no column "${header}". There are: ${headers.map((known) => `"${known}"`).join(', ')}.`,
      );
    }
    columns.set(field, position);
  }
  return columns;
}
