/**
 * Reads JSON: a list of objects, or a body as the service takes it, `{"customers": [{…}, …]}`. This code only finds
 * where each value ends; JSON.parse then reads that value alone. So one value is in memory at a time, whatever the size
 * of the file, and its text is available as it was written.
 */
import { EmptyFileError, CommandError } from './errors.ts';
import type { WantedFields } from './fields.ts';
import { ObjectReader } from './objects.ts';
import { MAX_ROW_CHARACTERS, type Row, type Table } from './row.ts';

/** The text is not valid JSON. */
class JsonSyntaxError extends Error {}

export function readJson(name: string, text: AsyncGenerator<string>, wanted: WantedFields): Table {
  const reader = new ObjectReader(wanted);
  return reader.toTable(toRows(name, new JsonText(text), reader));
}

async function* toRows(name: string, json: JsonText, reader: ObjectReader): AsyncGenerator<Row> {
  let row = 1;
  try {
    for await (const text of readCustomers(name, json)) {
      yield reader.read(parse(text), text);
      row += 1;
    }
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new CommandError(
      `${name} can't be read as JSON, near row ${row}: ${error.message}. Export the file again, or fix it there.`,
    );
  } finally {
    await json.close();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message would repeat the value.
    throw new JsonSyntaxError('a value is not well-formed');
  }
}

async function* readCustomers(name: string, json: JsonText): AsyncGenerator<string> {
  const first = await json.next();
  if (first === '') throw new EmptyFileError(name);
  let found = true;
  if (first === '[') yield* readList(json);
  else found = yield* readBody(json);
  if ((await json.next()) !== '') {
    throw new JsonSyntaxError(
      'there is text after its end; if it has one object per line, use --format ndjson',
    );
  }
  if (!found)
    throw new CommandError(
      `${name} has no list called customers: give the list that name, or use a file that is a list.`,
    );
}

async function* readList(json: JsonText): AsyncGenerator<string> {
  await json.expect('[');
  if ((await json.next()) === ']') return json.expect(']');
  for (;;) {
    yield await json.value();
    if ((await json.next()) === ']') return json.expect(']');
    await json.expect(',');
  }
}

/** @returns whether there was a list called customers */
async function* readBody(json: JsonText): AsyncGenerator<string, boolean> {
  let found = false;
  await json.expect('{');
  while ((await json.next()) !== '}') {
    const key = parse(await json.value());
    await json.expect(':');
    if (key === 'customers' && (await json.next()) === '[') {
      found = true;
      yield* readList(json);
    } else await json.skipValue();
    if ((await json.next()) !== '}') await json.expect(',');
  }
  await json.expect('}');
  return found;
}

/** Ends a value that is neither in brackets nor in quotation marks. */
const SCALAR_END = /["[\]{},:\s]/g;
const BRACKET_OR_STRING = /["[\]{}]/g;
const STRING_END = /["\\]/g;
const NO_SPACE = /\S/g;

/** Reads text that arrives in pieces, value by value. */
class JsonText {
  readonly #pieces: AsyncGenerator<string>;
  #text = '';
  #at = 0;

  constructor(pieces: AsyncGenerator<string>) {
    this.#pieces = pieces;
  }

  async close(): Promise<void> {
    await this.#pieces.return(undefined);
  }

  /** Peeks at the next character that is not white space; `""` at the end. */
  async next(): Promise<string> {
    for (;;) {
      NO_SPACE.lastIndex = this.#at;
      const found = NO_SPACE.exec(this.#text);
      this.#at = found?.index ?? this.#text.length;
      if (found !== null) return found[0];
      if (!(await this.#readMore())) return '';
    }
  }

  async expect(character: string): Promise<void> {
    const found = await this.next();
    if (found === '') throw new JsonSyntaxError('it ends in the middle of a value');
    if (found !== character) throw new JsonSyntaxError(`"${character}" is missing before "${found}"`);
    this.#at += 1;
  }

  /** @returns the text of the next value @throws JsonSyntaxError */
  async value(): Promise<string> {
    const end = await this.#findEnd(true);
    const text = this.#text.slice(this.#at, end);
    this.#at = end;
    return text;
  }

  /** Skips a value of any length without keeping it. */
  async skipValue(): Promise<void> {
    this.#at = await this.#findEnd(false);
  }

  /** @param keep whether the text from `#at` must stay in memory */
  async #findEnd(keep: boolean): Promise<number> {
    await this.next();
    let depth = 0;
    let inString = false;
    let from = this.#at;
    for (;;) {
      const pattern = inString ? STRING_END : depth === 0 ? SCALAR_END : BRACKET_OR_STRING;
      pattern.lastIndex = from;
      const found = pattern.exec(this.#text);
      const at = found?.index ?? this.#text.length;
      if (keep && at - this.#at > MAX_ROW_CHARACTERS) throw tooLong();
      // After a backslash, the next character is needed too.
      if (found === null || (found[0] === '\\' && at + 1 === this.#text.length)) {
        from = await this.#continueAt(at, keep);
        continue;
      }
      from = at + 1;
      if (found[0] === '\\') from = at + 2;
      else if (found[0] === '"') {
        inString = !inString;
        if (!inString && depth === 0) return from;
      } else if (found[0] === '[' || found[0] === '{') depth += 1;
      else if (depth === 0) return at;
      else {
        depth -= 1;
        if (depth === 0) return from;
      }
    }
  }

  /** Reads the next piece. @returns the new position of the character that was at this one */
  async #continueAt(at: number, keep: boolean): Promise<number> {
    if (!keep) this.#at = at;
    const offset = at - this.#at;
    if (!(await this.#readMore())) throw new JsonSyntaxError('it ends in the middle of a value');
    return offset;
  }

  async #readMore(): Promise<boolean> {
    const next = await this.#pieces.next();
    if (next.done === true) return false;
    this.#text = this.#text.slice(this.#at) + next.value;
    this.#at = 0;
    return true;
  }
}

function tooLong(): JsonSyntaxError {
  return new JsonSyntaxError(`a value is longer than ${MAX_ROW_CHARACTERS.toLocaleString('en')} characters`);
}
