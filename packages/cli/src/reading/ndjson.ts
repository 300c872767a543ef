/** NDJSON: an object a line. A line that is none is a row that failed; the others go on. */
import { FIELD_NAMES } from './fields.ts';
import { ObjectReader, shown, unreadableText } from './objects.ts';
import { MAX_ROW, type Row, type Table } from './row.ts';

export function readNdjson(text: AsyncGenerator<string>): Table {
  const reader = new ObjectReader();
  return { headers: FIELD_NAMES, ignored: reader.ignored, delimiter: undefined, rows: toRows(text, reader) };
}

async function* toRows(text: AsyncGenerator<string>, reader: ObjectReader): AsyncGenerator<Row> {
  let number = 0;
  for await (const line of readLines(text)) {
    number += 1;
    if (line.trim() !== '') yield toRow(line, number, reader);
  }
}

function toRow(line: string, number: number, reader: ObjectReader): Row {
  if (line.length > MAX_ROW) {
    const hint = line.trimStart().startsWith('[') ? ' It begins as a list: say --format json.' : '';
    const most = MAX_ROW.toLocaleString('en');
    return unreadableText(
      shown(line),
      `line ${number} is longer than ${most} characters: ${shown(line)}…${hint}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return unreadableText(line, `line ${number} is not JSON: ${shown(line)}`);
  }
  return reader.read(value, line);
}

/** Lines; of one that is too long, the beginning, which is too long as well. The rest of it is not kept. */
async function* readLines(text: AsyncGenerator<string>): AsyncGenerator<string> {
  let line = '';
  for await (const piece of text) {
    let at = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', at)) {
      yield line.length > MAX_ROW ? line : withoutReturn(line + piece.slice(at, end));
      line = '';
      at = end + 1;
    }
    if (line.length <= MAX_ROW) line += piece.slice(at);
  }
  if (line !== '') yield line;
}

const withoutReturn = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line);
