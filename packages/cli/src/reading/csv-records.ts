/**
 * Parses CSV, from text in pieces to records (RFC 4180). A record ends with CRLF, LF or CR, whichever comes, because
 * real files mix them. A quotation mark counts only around a whole cell; anywhere else it is an error, because the
 * cells could only be guessed. It takes linear time: at most one record is scanned again, and its length is bounded.
 *
 * Most rows of an export have no quotation marks, and are split by the engine's own `indexOf` and `split`: about ten
 * times as fast as looking at each character.
 */
import { MAX_ROW_CHARACTERS } from './row.ts';

/** The text is not valid CSV. */
export class CsvSyntaxError extends Error {}

export class CsvRecords {
  readonly #delimiter: string;
  /** The text from the beginning of the first incomplete record. */
  #text = '';
  #at = 0;
  #isLast = false;
  /** Position of the next of each character at or after `#at`, or Infinity; each is looked up once. */
  readonly #next = new Map<string, number>();

  /** @param delimiter one character */
  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** @param piece undefined at the end of the text */
  add(piece: string | undefined): void {
    this.#text = this.#text.slice(this.#at) + (piece ?? '');
    this.#at = 0;
    this.#isLast = piece === undefined;
    this.#next.clear();
  }

  /**
   * @returns undefined if there is no complete record
   * @throws CsvSyntaxError
   */
  next(): string[] | undefined {
    const start = this.#at;
    if (start === this.#text.length) return undefined;
    const record = this.#record();
    if ((record === undefined ? this.#text.length : this.#at) - start > MAX_ROW_CHARACTERS) {
      throw new CsvSyntaxError(`it is longer than ${MAX_ROW_CHARACTERS.toLocaleString('en')} characters`);
    }
    return record;
  }

  /** @returns undefined if the end of the record has not arrived yet */
  #record(): string[] | undefined {
    const end = this.#lineEnd(this.#at);
    if (this.#find('"', this.#at) > Math.min(end, this.#text.length)) {
      if (!this.#isComplete(end)) return undefined;
      const cells = this.#text.slice(this.#at, end).split(this.#delimiter);
      this.#continueAfter(end);
      return cells;
    }
    return this.#quotedRecord();
  }

  #quotedRecord(): string[] | undefined {
    const cells: string[] = [];
    let at = this.#at;
    for (;;) {
      const isQuoted = this.#text[at] === '"';
      const end = isQuoted ? this.#quotedEnd(at) : this.#plainEnd(at);
      if (end === undefined) return undefined;
      const cell = this.#text.slice(at, end);
      if (!isQuoted && cell.includes('"')) {
        throw new CsvSyntaxError(`cell ${cells.length + 1} has a quotation mark inside, and is not quoted`);
      }
      cells.push(isQuoted ? cell.slice(1, -1).replaceAll('""', '"') : cell);
      if (this.#text[end] === this.#delimiter) at = end + 1;
      else if (end === this.#text.length || this.#text[end] === '\n' || this.#text[end] === '\r') {
        if (!this.#isComplete(end)) return undefined;
        this.#continueAfter(end);
        return cells;
      } else {
        throw new CsvSyntaxError(`cell ${cells.length} continues after its closing quotation mark`);
      }
    }
  }

  /** @returns the position after the closing quotation mark; undefined if it has not arrived yet */
  #quotedEnd(start: number): number | undefined {
    let at = start + 1;
    for (;;) {
      const quote = this.#text.indexOf('"', at);
      if (quote === -1) {
        if (this.#isLast) throw new CsvSyntaxError('a quotation mark is not closed');
        return undefined;
      }
      if (this.#text[quote + 1] !== '"') return quote + 1;
      at = quote + 2;
    }
  }

  #plainEnd(start: number): number {
    const delimiter = this.#text.indexOf(this.#delimiter, start);
    const end = Math.min(this.#lineEnd(start), this.#text.length);
    return delimiter === -1 ? end : Math.min(delimiter, end);
  }

  /** Position where the line ends; Infinity if its end has not arrived yet. */
  #lineEnd(from: number): number {
    return Math.min(this.#find('\n', from), this.#find('\r', from));
  }

  /** Finds the next of a character. Each part of the text is searched once for it, however many records ask. */
  #find(character: string, from: number): number {
    const known = this.#next.get(character);
    if (known !== undefined && known >= from) return known;
    const found = this.#text.indexOf(character, from);
    const next = found === -1 ? Infinity : found;
    this.#next.set(character, next);
    return next;
  }

  /** A CR or a quotation mark at the end of a piece may be the first half of a pair. */
  #isComplete(end: number): boolean {
    if (this.#isLast) return true;
    return end < this.#text.length && !(this.#text[end] === '\r' && end + 1 === this.#text.length);
  }

  #continueAfter(end: number): void {
    const lineEnd = this.#text.startsWith('\r\n', end) ? 2 : 1;
    this.#at = Math.min(end + lineEnd, this.#text.length);
  }
}
