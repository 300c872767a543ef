/** Turns a value of NDJSON or JSON into a row: keys have the same aliases as columns of CSV, and values must be text. */
import { fieldOf, type Field, type WantedFields } from './fields.ts';
import { isMarked, isUnwritable, mark } from './failures-file.ts';
import { unreadable, type Customer, type Row, type Table } from './row.ts';

/** Enough of an unreadable text to find it by. */
const EXCERPT_CHARACTERS = 200;
/** Keys that are cached, and ignored keys that are reported: a file may have any number of them. */
const MAX_CACHED_KEYS = 1_000;
const MAX_IGNORED_KEYS = 50;

/** Characters of an unreadable row that its failure keeps, so that it can be fixed there: a customer has fewer. */
const MAX_KEPT_CHARACTERS = 10_000;

export const excerpt = (text: string) => text.slice(0, EXCERPT_CHARACTERS).replaceAll('\0', '␀');

interface FoundValue {
  key: string;
  value: unknown;
  /** Set if the field has several values: why, and how they are written. */
  ambiguity?: { reason: string; written: string };
}

export class ObjectReader {
  readonly #fields = new Map<string, Field | undefined>();
  /** Keys so far that belong to no field. */
  readonly #ignored = new Set<string>();
  readonly #wanted: WantedFields;

  constructor(wanted: WantedFields) {
    this.#wanted = wanted;
  }

  /** A table of these rows, each of which has keys of its own. */
  toTable(rows: AsyncGenerator<Row>): Table {
    return {
      headers: [...this.#wanted.names],
      ignored: this.#ignored,
      shared: [],
      columns: undefined,
      delimiter: undefined,
      lineOf: undefined,
      rows,
    };
  }

  /** A row that can't be read at all. @param text of the row */
  unreadable(text: string, reason: string): Row {
    const cells = this.#wanted.names.map((_, position) =>
      position === 0 ? mark(text.slice(0, MAX_KEPT_CHARACTERS)) : '',
    );
    return { cells, fault: unreadable(reason) };
  }

  /** @param text of the value: numbers are only exact there */
  read(value: unknown, text: string): Row {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return this.unreadable(text, `is not an object: ${excerpt(text)}`);
    }
    const faults: string[] = [];
    const found = this.#find(value, text);
    const customer: Customer = {};
    const cells = this.#wanted.names.map((field) => {
      const { key, value: sent, ambiguity } = found.get(field) ?? {};
      if (key === undefined) return '';
      if (ambiguity !== undefined) {
        faults.push(ambiguity.reason);
        return mark(ambiguity.written);
      }
      const fault = faultOf(key, sent);
      if (fault !== undefined) faults.push(fault);
      if (typeof sent !== 'string')
        return mark(typeof sent === 'number' ? writtenAt(text, key).join() : JSON.stringify(sent));
      customer[field] = sent;
      return isUnwritable(sent) ? mark(sent) : sent;
    });
    return faults.length === 0 ? { cells, customer } : { cells, fault: unreadable(faults.join('; ')) };
  }

  /** Finds the value of each field. A key that is a field's own name takes precedence over an alias. */
  #find(object: object, text: string): Map<Field, FoundValue> {
    const found = new Map<Field, FoundValue>();
    const repeated = repeatedKeys(object, text);
    for (const [key, value] of Object.entries(object)) {
      const field = this.#fieldOf(key);
      const other = field === undefined ? undefined : found.get(field);
      if (field === undefined || other?.key === field) this.#ignore(key);
      else if (repeated.has(key)) {
        const written = writtenAt(text, key).join(' or ');
        found.set(field, { key, value, ambiguity: { reason: `has the key "${key}" twice`, written } });
      } else if (value === null || value === '') continue;
      else if (other === undefined || key === field) {
        if (other !== undefined) this.#ignore(other.key);
        found.set(field, { key, value });
      } else {
        const reason = `has ${field} twice, as "${other.key}" and as "${key}"`;
        const before = other.ambiguity?.written ?? writtenAt(text, other.key).join();
        const written = `${before} or ${writtenAt(text, key).join()}`;
        found.set(field, { key, value, ambiguity: { reason, written } });
      }
    }
    return found;
  }

  #fieldOf(key: string): Field | undefined {
    if (this.#fields.size >= MAX_CACHED_KEYS) this.#fields.clear();
    if (!this.#fields.has(key)) this.#fields.set(key, fieldOf(key, this.#wanted));
    return this.#fields.get(key);
  }

  #ignore(key: string): void {
    if (this.#ignored.size < MAX_IGNORED_KEYS) this.#ignored.add(excerpt(key));
    else this.#ignored.add('and others');
  }
}

function faultOf(key: string, value: unknown): string | undefined {
  if (typeof value === 'string') {
    return isMarked(value)
      ? `could not be read before, and ${key} is still marked: put the right value there`
      : undefined;
  }
  if (typeof value === 'number') {
    return `${key} is a number, which may lose digits: write it as text, in quotation marks`;
  }
  if (typeof value === 'boolean') return `${key} is ${value}, and must be text, in quotation marks`;
  return `${key} is ${Array.isArray(value) ? 'a list' : 'an object'}, and must be text`;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\],]/gs;

/** Yields the keys of an object with the text of their values: `JSON.parse` rounds numbers and drops repeated keys. */
function* readMembers(text: string): Generator<[key: string, written: string]> {
  let depth = 0;
  let key: string | undefined;
  let start = 0;
  for (const { 0: token, 1: colon, index } of text.matchAll(TOKEN)) {
    if (depth === 1 && key !== undefined && (token === ',' || token === '}')) {
      yield [key, text.slice(start, index).trim()];
      key = undefined;
    }
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth === 1 && colon !== undefined) {
      key = JSON.parse(token.slice(0, token.length - colon.length)) as string;
      start = index + token.length;
    }
  }
}

/** @param text of an object, valid JSON @returns each value of a key, as it is written */
function writtenAt(text: string, key: string): string[] {
  return [...readMembers(text)].flatMap(([known, written]) => (known === key ? [written] : []));
}

/** Finds keys that the text has more than once; `object` has only the last of each. */
function repeatedKeys(object: object, text: string): Set<string> {
  const repeated = new Set<string>();
  // Each key has a colon. If there are no more colons than keys, as in most rows, no key is repeated.
  if (!hasMoreColons(text, Object.keys(object).length)) return repeated;
  const seen = new Set<string>();
  for (const [key] of readMembers(text)) {
    if (seen.has(key)) repeated.add(key);
    seen.add(key);
  }
  return repeated;
}

function hasMoreColons(text: string, limit: number): boolean {
  let found = 0;
  for (let at = text.indexOf(':'); at >= 0 && found <= limit; at = text.indexOf(':', at + 1)) found += 1;
  return found > limit;
}
