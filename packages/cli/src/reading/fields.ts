/** Which column is which field. Names are compared without case, spaces and signs: `First Name` is `first_name`. */
import type { NewCustomer } from '../../../client/src/types.ts';
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

/** Position of the column of each field. */
export type Columns = Map<Field, number>;

/** Unicode has two ways to write `é`; both are one name. */
const composed = (name: string) => name.trim().normalize('NFC');
const plain = (name: string) =>
  composed(name)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/** @param name of a column, or of a key in JSON */
export function fieldOf(name: string): Field | undefined {
  const wanted = plain(name);
  return FIELD_NAMES.find((field) => {
    const aliases: readonly string[] = FIELDS[field].aliases;
    return field.toLowerCase() === wanted || aliases.includes(wanted);
  });
}

const quoted = (headers: string[]) => headers.map((header) => `"${header}"`).join(', ');

/**
 * @param map what the user said: `firstname=Vorname`
 * @returns the columns, and positions of those that are of no field
 * @throws ImportFault where a field has no column, or more than one
 */
export function mapColumns(headers: string[], map: string[]): { columns: Columns; unused: number[] } {
  const columns = readMap(headers, map);
  const said = new Set(columns.keys());
  const taken = new Set(columns.values());
  const unused: number[] = [];
  for (const [position, header] of headers.entries()) {
    if (taken.has(position)) continue;
    const field = fieldOf(header);
    if (field === undefined || said.has(field)) {
      unused.push(position);
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
      `No column is ${missing.join(', ')}. There are: ${quoted(headers)}. ` +
        `Say which is which: --map ${missing[0]}="…"`,
    );
  }
  return { columns, unused };
}

function readMap(headers: string[], map: string[]): Columns {
  const columns: Columns = new Map();
  for (const pair of map) {
    const [name = '', ...rest] = pair.split('=');
    const field = FIELD_NAMES.find((known) => known.toLowerCase() === plain(name));
    if (field === undefined) {
      throw new ImportFault(`--map ${pair}: "${name}" is not a field. There are: ${FIELD_NAMES.join(', ')}.`);
    }
    if (columns.has(field))
      throw new ImportFault(`--map ${pair}: ${field} has a column already. Say it once.`);
    columns.set(field, findColumn(headers, rest.join('='), pair));
  }
  return columns;
}

/** The column of exactly this name; if there is none, the one whose name differs in case, spaces and signs alone. */
function findColumn(headers: string[], header: string, pair: string): number {
  for (const fold of [composed, plain]) {
    const wanted = fold(header);
    if (wanted === '') break;
    const [first, second] = headers.flatMap((known, position) => (fold(known) === wanted ? [position] : []));
    if (first === undefined) continue;
    if (second === undefined) return first;
    const found = quoted([first, second].map((position) => headers[position] ?? ''));
    throw new ImportFault(
      fold === composed
        ? `--map ${pair}: two columns have this name, ${first + 1} and ${second + 1}. Rename one of them in the file.`
        : `--map ${pair}: this may be any of ${found}. Write its name as the file does.`,
    );
  }
  throw new ImportFault(`--map ${pair}: there is no column "${header}". There are: ${quoted(headers)}.`);
}
