/** Reads NDJSON: one object per line. A line that is not an object is a failed row; the others are not affected. */
import type { WantedFields } from './fields.ts';
import { ObjectReader, excerpt } from './objects.ts';
import { MAX_ROW_CHARACTERS, type Row, type Table } from './row.ts';

export function readNdjson(text: AsyncGenerator<string>, wanted: WantedFields): Table {
  const reader = new ObjectReader(wanted);
  return reader.toTable(toRows(text, reader));
}

async function* toRows(text: AsyncGenerator<string>, reader: ObjectReader): AsyncGenerator<Row> {
  let number = 0;
  for await (const line of readLines(text)) {
    number += 1;
    if (line.trim() !== '') yield toRow(line, number, reader);
  }
}

function toRow(line: string, number: number, reader: ObjectReader): Row {
  if (line.length > MAX_ROW_CHARACTERS) {
    const hint = line.trimStart().startsWith('[') ? ' It begins like a list: use --format json.' : '';
    return reader.unreadable(
      excerpt(line),
      `line ${number} is longer than ${MAX_ROW_CHARACTERS.toLocaleString('en')} characters: ${excerpt(line)}…${hint}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return reader.unreadable(line, `line ${number} is not JSON: ${excerpt(line)}`);
  }
  return reader.read(value, line);
}

/** Yields lines. Of one that is too long, it keeps only a beginning, which is still too long. */
async function* readLines(text: AsyncGenerator<string>): AsyncGenerator<string> {
  let line = '';
  for await (const piece of text) {
    let at = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', at)) {
      yield line.length > MAX_ROW_CHARACTERS ? line : withoutReturn(line + piece.slice(at, end));
      line = '';
      at = end + 1;
    }
    if (line.length <= MAX_ROW_CHARACTERS) line += piece.slice(at);
  }
  if (line !== '') yield line;
}

const withoutReturn = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line);
