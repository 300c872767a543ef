/** Maps columns to fields. Names are compared without case, spaces and punctuation: `First Name` is `first_name`. */
import { CUSTOMER_FIELDS, NEW_CUSTOMER_FIELDS, UPDATE_FIELDS } from '@peere/client';
import { ALIASES, PREFIX, VAGUE_ALIASES } from './aliases.ts';
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

/** A required field that has no column takes that of the other: many banks have one reference of a customer. */
export const REFERENCES = ['clientRef', 'reference'] as const satisfies Field[];

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

/** `Gender (M/F)` is `Gender`, and `Customer email` is `Email`, unless the whole name says something else. */
function spellingsOf(name: string): string[] {
  const whole = fold(name);
  const short = fold(name.replaceAll(/\([^)]*\)|\[[^\]]*\]/g, ''));
  return [whole, short, short.replace(PREFIX, '')].filter((spelling) => spelling !== '');
}

/** @param name of a column, or of a key in JSON */
export function fieldOf(name: string, { names }: WantedFields): Field | undefined {
  return firstMatch(
    name,
    names,
    (field, spelling) => field.toLowerCase() === spelling || ALIASES[field]?.includes(spelling) === true,
  );
}

const vagueFieldOf = (name: string, { names }: WantedFields) =>
  firstMatch(name, names, (field, spelling) => VAGUE_ALIASES[field]?.includes(spelling) === true);

function firstMatch(
  name: string,
  fields: readonly Field[],
  isMatch: (field: Field, spelling: string) => boolean,
): Field | undefined {
  for (const spelling of spellingsOf(name)) {
    const field = fields.find((known) => isMatch(known, spelling));
    if (field !== undefined) return field;
  }
  return undefined;
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

export interface Recognised {
  columns: Columns;
  /** The columns of a field that more than one could be: none of them is taken. */
  ambiguous: Map<Field, number[]>;
}

/**
 * Finds the column of each field as far as the names say it.
 * @param mapped columns that are known already; no other column takes their fields
 */
export function recogniseColumns(
  headers: string[],
  wanted: WantedFields = NEW_CUSTOMER,
  mapped: Columns = new Map(),
): Recognised {
  const columns: Columns = new Map(mapped);
  const ambiguous = new Map<Field, number[]>();
  for (const nameToField of [fieldOf, vagueFieldOf]) {
    const taken = new Set(columns.values());
    const found = new Map<Field, number[]>();
    for (const [position, header] of headers.entries()) {
      const field = taken.has(position) ? undefined : nameToField(header, wanted);
      if (field === undefined || columns.has(field) || ambiguous.has(field)) continue;
      found.set(field, [...(found.get(field) ?? []), position]);
    }
    for (const [field, positions] of found) {
      const [only = 0, ...others] = positions;
      if (others.length === 0) columns.set(field, only);
      else ambiguous.set(field, positions);
    }
  }
  return { columns: shareReference(columns, ambiguous, wanted), ambiguous };
}

/**
 * Lets one column be both references, if one of them is required and has none of its own.
 * @param ambiguous fields that several columns could be: the user must choose one of them
 */
export function shareReference(
  columns: Columns,
  ambiguous: ReadonlyMap<Field, unknown> = new Map(),
  { required }: WantedFields = NEW_CUSTOMER,
): Columns {
  const all: Columns = new Map(columns);
  const position = REFERENCES.map((field) => columns.get(field)).find((found) => found !== undefined);
  for (const field of REFERENCES) {
    const isMissing = required.includes(field) && !columns.has(field) && !ambiguous.has(field);
    if (isMissing && position !== undefined) all.set(field, position);
  }
  return all;
}

/** The columns that are two fields at once: their positions, and the fields. */
export function sharedColumns(columns: Columns): [position: number, fields: Field[]][] {
  const fieldsAt = new Map<number, Field[]>();
  for (const [field, position] of columns) {
    fieldsAt.set(position, [...(fieldsAt.get(position) ?? []), field]);
  }
  return [...fieldsAt].filter(([, fields]) => fields.length > 1);
}

function matchColumns(headers: string[], map: string[], wanted: WantedFields): Columns {
  const { columns, ambiguous } = recogniseColumns(headers, wanted, readMap(headers, map, wanted));
  for (const [field, [one = 0, other = 0]] of ambiguous) {
    throw new CommandError(
      `Two columns match ${field}: "${headers[one]}" and "${headers[other]}". Choose one with --map ${field}="${headers[other]}"`,
    );
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
