/** Maps columns to fields. Names are compared without case, spaces and punctuation: `First Name` is `first_name`. */
import { NEW_CUSTOMER_FIELDS } from '@peere/client';
import { CommandError } from './errors.ts';

export type Field = keyof typeof NEW_CUSTOMER_FIELDS;

export const FIELD_NAMES = Object.keys(NEW_CUSTOMER_FIELDS) as Field[];

/** What exports call a field besides its own name, in the form that `fold` gives a name. */
const ALIASES: Partial<Record<Field, readonly string[]>> = {
  clientRef: ['clientreference', 'customerid', 'customerref', 'customerno', 'cif', 'externalid'],
  firstname: ['givenname', 'forename'],
  lastname: ['surname', 'familyname'],
  middlename: ['middlenames', 'othername', 'othernames'],
  accountName: ['fullname', 'nameofaccount'],
  email: ['emailaddress', 'mail'],
  country: ['countrycode', 'countryiso'],
  address: ['streetaddress', 'residentialaddress'],
  gender: ['sex'],
  phone: ['phonenumber', 'mobile', 'mobilenumber', 'mobilephone', 'msisdn', 'telephone'],
  accountNumber: ['accountno', 'acctno', 'acctnumber', 'nuban', 'iban'],
  reference: ['ref', 'internalreference', 'internalref'],
};

/** Position of the column of each field. */
export type Columns = Map<Field, number>;

/** Unicode has two ways to write `é`; both are the same name. */
const compose = (name: string) => name.trim().normalize('NFC');
const fold = (name: string) =>
  compose(name)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/** @param name of a column, or of a key in JSON */
export function fieldOf(name: string): Field | undefined {
  const wanted = fold(name);
  return FIELD_NAMES.find(
    (field) => field.toLowerCase() === wanted || ALIASES[field]?.includes(wanted) === true,
  );
}

const quoted = (headers: string[]) => headers.map((header) => `"${header}"`).join(', ');

/**
 * @param map pairs from the command line, such as `firstname=Vorname`
 * @returns the columns, and the positions of those that belong to no field
 * @throws CommandError if a required field has no column, or a field has more than one
 */
export function mapColumns(headers: string[], map: string[]): { columns: Columns; unused: number[] } {
  const columns = readMap(headers, map);
  const mapped = new Set(columns.keys());
  const taken = new Set(columns.values());
  const unused: number[] = [];
  for (const [position, header] of headers.entries()) {
    if (taken.has(position)) continue;
    const field = fieldOf(header);
    if (field === undefined || mapped.has(field)) {
      unused.push(position);
      continue;
    }
    const other = columns.get(field);
    if (other !== undefined) {
      throw new CommandError(
        `Two columns match ${field}: "${headers[other]}" and "${header}". Choose one with --map ${field}="${header}"`,
      );
    }
    columns.set(field, position);
  }
  const missing = FIELD_NAMES.filter((field) => NEW_CUSTOMER_FIELDS[field].required && !columns.has(field));
  if (missing.length > 0) {
    throw new CommandError(
      `No column matches ${missing.join(', ')}. The columns are: ${quoted(headers)}. ` +
        `Name the column of each field with --map ${missing[0]}="…"`,
    );
  }
  return { columns, unused };
}

function readMap(headers: string[], map: string[]): Columns {
  const columns: Columns = new Map();
  for (const pair of map) {
    const [name = '', ...rest] = pair.split('=');
    const field = FIELD_NAMES.find((known) => known.toLowerCase() === fold(name));
    if (field === undefined) {
      throw new CommandError(
        `--map ${pair}: "${name}" is not a field. The fields are: ${FIELD_NAMES.join(', ')}.`,
      );
    }
    if (columns.has(field))
      throw new CommandError(`--map ${pair}: ${field} is mapped already. Map each field once.`);
    columns.set(field, findColumn(headers, rest.join('='), pair));
  }
  return columns;
}

/** Finds the column with exactly this name; otherwise one whose name differs only in case, spaces and punctuation. */
function findColumn(headers: string[], header: string, pair: string): number {
  for (const simplify of [compose, fold]) {
    const wanted = simplify(header);
    if (wanted === '') break;
    const [first, second] = headers.flatMap((known, position) =>
      simplify(known) === wanted ? [position] : [],
    );
    if (first === undefined) continue;
    if (second === undefined) return first;
    const found = quoted([first, second].map((position) => headers[position] ?? ''));
    throw new CommandError(
      simplify === compose
        ? `--map ${pair}: two columns have this name, ${first + 1} and ${second + 1}. Rename one of them in the file.`
        : `--map ${pair}: this may be any of ${found}. Write the name exactly as the file has it.`,
    );
  }
  throw new CommandError(
    `--map ${pair}: there is no column "${header}". The columns are: ${quoted(headers)}.`,
  );
}
