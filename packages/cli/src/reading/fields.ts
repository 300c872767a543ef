/** Maps columns to fields. Names are compared without case, spaces and punctuation: `First Name` is `first_name`. */
import { CUSTOMER_FIELDS, NEW_CUSTOMER_FIELDS, UPDATE_FIELDS } from '@peere/client';
import { CommandError } from './errors.ts';

type NewField = keyof typeof NEW_CUSTOMER_FIELDS;
/** A field that only an update can set. */
type LaterField = Exclude<(typeof UPDATE_FIELDS)[number], NewField>;
export type Field = NewField | LaterField;

/** The fields that a command looks for in a file. */
export interface WantedFields {
  names: readonly Field[];
  required: readonly Field[];
}

const newFields = Object.keys(NEW_CUSTOMER_FIELDS) as NewField[];

/** To create customers. */
export const NEW_CUSTOMER: WantedFields = {
  names: newFields,
  required: newFields.filter((field) => NEW_CUSTOMER_FIELDS[field].required),
};

/** To find customers by email and compare them: the same fields, and those that a read shows besides. */
export const KNOWN_CUSTOMER: WantedFields = {
  names: [
    ...newFields,
    ...UPDATE_FIELDS.filter((field) => field in CUSTOMER_FIELDS && !(field in NEW_CUSTOMER_FIELDS)),
  ],
  required: ['email'],
};

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
  displayPicture: ['picture', 'pictureurl', 'photo'],
  state: ['region', 'province'],
};

/** Position of the column of each field. */
export type Columns = Map<Field, number>;

/** Pairs from the command line, such as `firstname=Vorname`, beside what is recognised; or the column of every field. */
export type Mapping = string[] | Columns;

/** Unicode has two ways to write `é`; both are the same name. */
const compose = (name: string) => name.trim().normalize('NFC');
const fold = (name: string) =>
  compose(name)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/** @param name of a column, or of a key in JSON */
export function fieldOf(name: string, { names }: WantedFields): Field | undefined {
  const folded = fold(name);
  return names.find((field) => field.toLowerCase() === folded || ALIASES[field]?.includes(folded) === true);
}

const quoted = (headers: string[]) => headers.map((header) => `"${header}"`).join(', ');

/**
 * @returns the columns, and the positions of those that belong to no field
 * @throws CommandError if a required field has no column, or a field has more than one
 */
export function mapColumns(
  headers: string[],
  map: Mapping,
  wanted: WantedFields = NEW_CUSTOMER,
): { columns: Columns; unused: number[] } {
  const columns = map instanceof Map ? map : matchColumns(headers, map, wanted);
  const missing = wanted.required.filter((field) => !columns.has(field));
  if (missing.length > 0) {
    throw new CommandError(
      `No column matches ${missing.join(', ')}. The columns are: ${quoted(headers)}. ` +
        `Name the column of each field with --map ${missing[0]}="…"`,
    );
  }
  const taken = new Set(columns.values());
  return { columns, unused: [...headers.keys()].filter((position) => !taken.has(position)) };
}

/** Finds the column of each field as far as the names say it; the first one, if several do. */
export function recogniseColumns(headers: string[], wanted: WantedFields = NEW_CUSTOMER): Columns {
  const columns: Columns = new Map();
  for (const [position, header] of headers.entries()) {
    const field = fieldOf(header, wanted);
    if (field !== undefined && !columns.has(field)) columns.set(field, position);
  }
  return columns;
}

function matchColumns(headers: string[], map: string[], wanted: WantedFields): Columns {
  const columns = readMap(headers, map, wanted);
  const mapped = new Set(columns.keys());
  const taken = new Set(columns.values());
  for (const [position, header] of headers.entries()) {
    if (taken.has(position)) continue;
    const field = fieldOf(header, wanted);
    if (field === undefined || mapped.has(field)) continue;
    const other = columns.get(field);
    if (other !== undefined) {
      throw new CommandError(
        `Two columns match ${field}: "${headers[other]}" and "${header}". Choose one with --map ${field}="${header}"`,
      );
    }
    columns.set(field, position);
  }
  return columns;
}

function readMap(headers: string[], map: string[], { names }: WantedFields): Columns {
  const columns: Columns = new Map();
  for (const pair of map) {
    const [name = '', ...rest] = pair.split('=');
    const field = names.find((known) => known.toLowerCase() === fold(name));
    if (field === undefined) {
      throw new CommandError(`--map ${pair}: "${name}" is not a field. The fields are: ${names.join(', ')}.`);
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
