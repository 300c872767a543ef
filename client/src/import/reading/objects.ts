/** A value of NDJSON or JSON as a row: keys have the same aliases as the columns of CSV, and every value is text. */
import { FIELD_NAMES, fieldOf, type Field } from '../fields.ts';
import { isMarked, isUnwritable, mark } from './failures-file.ts';
import { unreadable, type Customer, type Row } from './row.ts';

/** Of what can't be read, enough to find it by. */
const SHOWN_CHARACTERS = 200;
/** Keys that are remembered, and told: a file may have any number of them. */
const MAX_KEYS = 1_000;
const MAX_IGNORED = 50;

export const shown = (text: string) => text.slice(0, SHOWN_CHARACTERS).replaceAll('\0', '␀');

/** A row of which nothing can be told. @param text what stands there */
export function unreadableText(text: string, reason: string): Row {
  const cells = FIELD_NAMES.map((_, position) => (position === 0 ? mark(shown(text)) : ''));
  return { cells, fault: unreadable(reason) };
}

interface Found {
  key: string;
  value: unknown;
}

export class ObjectReader {
  readonly #fields = new Map<string, Field | undefined>();
  readonly #ignored = new Set<string>();

  /** Keys that were of no field, so far. */
  get ignored(): ReadonlySet<string> {
    return this.#ignored;
  }

  /** @param text of the value; numbers are as written only there */
  read(value: unknown, text: string): Row {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return unreadableText(text, `is not an object: ${shown(text)}`);
    }
    const faults: string[] = [];
    const found = this.#find(value, faults);
    const customer: Customer = {};
    const cells = FIELD_NAMES.map((field) => {
      const { key, value: sent } = found.get(field) ?? {};
      if (key === undefined) return '';
      const fault = faultOf(key, sent);
      if (fault !== undefined) faults.push(fault);
      if (typeof sent !== 'string')
        return mark(typeof sent === 'number' ? numberAt(text, key) : JSON.stringify(sent));
      customer[field] = sent;
      return isUnwritable(sent) ? mark(sent) : sent;
    });
    return faults.length === 0 ? { cells, customer } : { cells, fault: unreadable(faults.join('; ')) };
  }

  /** The value of each field. A key that is a field's own name goes before an alias. */
  #find(object: object, faults: string[]): Map<Field, Found> {
    const found = new Map<Field, Found>();
    for (const [key, value] of Object.entries(object)) {
      const field = this.#fieldOf(key);
      const other = field === undefined ? undefined : found.get(field);
      if (field === undefined || other?.key === field) this.#ignore(key);
      else if (value === null || value === '') continue;
      else {
        if (other !== undefined && key === field) this.#ignore(other.key);
        else if (other !== undefined) faults.push(`has ${field} twice, as "${other.key}" and as "${key}"`);
        found.set(field, { key, value });
      }
    }
    return found;
  }

  #fieldOf(key: string): Field | undefined {
    if (this.#fields.size >= MAX_KEYS) this.#fields.clear();
    if (!this.#fields.has(key)) this.#fields.set(key, fieldOf(key));
    return this.#fields.get(key);
  }

  #ignore(key: string): void {
    if (this.#ignored.size < MAX_IGNORED) this.#ignored.add(shown(key));
    else this.#ignored.add('and others');
  }
}

function faultOf(key: string, value: unknown): string | undefined {
  if (typeof value === 'string') {
    return isMarked(value)
      ? `could not be read before, and ${key} still says so: put its value there`
      : undefined;
  }
  if (typeof value === 'number') {
    return `${key} is a number, which may lose digits: write it as text, in quotation marks`;
  }
  if (typeof value === 'boolean') return `${key} is ${value}, and must be text, in quotation marks`;
  return `${key} is ${Array.isArray(value) ? 'a list' : 'an object'}, and must be text`;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]|-?\d[\d.eE+-]*/gs;

/** A number as it is written: `JSON.parse` may have rounded it. @param text an object, which is JSON */
function numberAt(text: string, key: string): string {
  let depth = 0;
  let at: string | undefined;
  let number = '';
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth !== 1) continue;
    else if (token.startsWith('"')) at = colon === undefined ? undefined : readKey(token, colon);
    else if (at === key) number = token;
  }
  return number;
}

const readKey = (token: string, colon: string) =>
  JSON.parse(token.slice(0, token.length - colon.length)) as string;
