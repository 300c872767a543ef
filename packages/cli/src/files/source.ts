/**
 * What is imported, as text: a file or standard input, gzipped or not. It must be UTF-8: a name in another encoding
 * would be stored as something that nobody is called. A file is looked through before its first row is sent.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ImportFault } from '../reading/fault.ts';
import type { Format, Input } from '../reading/row.ts';

export interface Source extends Input {
  /** Where what is written goes, without its ending: `/exports/customers`. */
  stem: string;
  /** What the name alone says of the format. */
  formatByName: Format | undefined;
  /** Can it be read again? Standard input can not. */
  again: boolean;
}

/** A byte order mark is no part of the first header. */
const UTF8 = { fatal: true, ignoreBOM: false };
const GZIP = Buffer.from([0x1f, 0x8b]);
const UTF16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];
/** What .xlsx and other zips begin with, and what .xls does. */
const WORKBOOKS = [Buffer.from('PK\x03\x04', 'latin1'), Buffer.from('D0CF11E0A1B11AE1', 'hex')];
const WORKBOOK_NAME = /\.(xlsx|xlsm|xlsb|xls|ods|numbers)$/i;
/** Bytes that are looked at to tell UTF-16 without its mark: every other one of English text in it is NUL. */
const LOOKED_AT = 1_024;

/**
 * @param path of a file; `-` for standard input
 * @param format where the name does not say it
 * @param signal ends reading
 */
export async function openSource(
  path: string,
  format: Format | undefined,
  stdin: NodeJS.ReadStream,
  signal: AbortSignal,
): Promise<Source> {
  if (path === '-') {
    // Whoever feeds it may go on for long.
    signal.addEventListener('abort', () => stdin.destroy(signal.reason as Error), { once: true });
    return {
      name: 'standard input',
      format: format ?? 'csv',
      formatByName: undefined,
      stem: join(process.cwd(), 'stdin'),
      again: false,
      text: () => decode('standard input', stdin),
    };
  }
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new ImportFault(`There is no file ${path}.`);
  if (!found.isFile()) throw new ImportFault(`${path} is not a file.`);
  const name = basename(path);
  const [, stem = name, ending] = /^(.*?)\.(csv|tsv|txt|ndjson|jsonl|json)(\.gz)?$/i.exec(name) ?? [];
  if (WORKBOOK_NAME.test(name)) throw workbook(name);
  const formatByName = formatOf(ending);
  const known = format ?? formatByName;
  if (known === undefined) {
    throw new ImportFault(
      `What ${name} holds can't be told from its name: say --format csv, ndjson or json.`,
    );
  }
  return {
    name,
    format: known,
    formatByName,
    stem: join(dirname(path), stem),
    again: true,
    state: () => stateOf(path),
    text: () => decode(name, createReadStream(path, { signal })),
  };
}

/** `ctime` too: a program may set `mtime` back, as some copy it. */
async function stateOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}

const FORMATS: Record<string, Format> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
};

function formatOf(ending: string | undefined): Format | undefined {
  return ending === undefined ? undefined : FORMATS[ending.toLowerCase()];
}

async function* decode(name: string, file: NodeJS.ReadableStream): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', UTF8);
  let offset = 0;
  for await (const bytes of unzipped(name, file as AsyncIterable<Buffer>)) {
    if (offset === 0) refuseOtherKinds(name, bytes);
    yield decodeOrExplain(name, decoder, bytes, offset);
    offset += bytes.length;
  }
  yield decodeOrExplain(name, decoder, undefined, offset);
}

/** @param start the first bytes of the file, unzipped @throws ImportFault for what is no text in UTF-8 for sure */
function refuseOtherKinds(name: string, start: Buffer): void {
  if (WORKBOOKS.some((mark) => start.subarray(0, mark.length).equals(mark))) throw workbook(name);
  if (/^\s*</.test(start.toString('latin1', 0, LOOKED_AT))) {
    throw new ImportFault(
      `${name} is a web page or XML, not a table. Open it in a spreadsheet and save it as "CSV UTF-8".`,
    );
  }
  const looked = start.subarray(0, LOOKED_AT);
  const nuls = looked.filter((byte) => byte === 0).length;
  if (UTF16.some((mark) => start.subarray(0, 2).equals(mark)) || nuls > looked.length / 4) {
    throw new ImportFault(`${name} is UTF-16. ${asUtf8('UTF-16', name)}`);
  }
}

function workbook(name: string): ImportFault {
  return new ImportFault(
    `${name} is a spreadsheet's workbook (or another zip file), not a table in text. Open it and save it as "CSV UTF-8".`,
  );
}

async function* unzipped(name: string, file: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = file[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const all = async function* () {
    yield first.value;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  };
  if (!first.value.subarray(0, 2).equals(GZIP)) {
    yield* all();
    return;
  }
  const gunzip = createGunzip();
  const packed = Readable.from(all());
  packed.on('error', (error) => gunzip.destroy(error));
  try {
    yield* packed.pipe(gunzip) as AsyncIterable<Buffer>;
  } catch {
    throw new ImportFault(`${name} is damaged: it can't be unzipped to its end. Copy it anew.`);
  }
}

/** @param bytes undefined: it was the last; an unfinished character is a fault */
function decodeOrExplain(
  name: string,
  decoder: TextDecoder,
  bytes: Buffer | undefined,
  offset: number,
): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    const where = bytes === undefined ? offset : offset + firstBadByte(bytes);
    throw new ImportFault(
      `${name} is not UTF-8 (near byte ${where}). It looks like Latin-1 or Windows-1252: names with accents would be ` +
        `stored wrong. ${asUtf8('WINDOWS-1252', name)}`,
    );
  }
}

const asUtf8 = (encoding: string, name: string) =>
  `Save it as UTF-8, or: iconv -f ${encoding} -t UTF-8 ${name} > utf8-${name}`;

/** Where it stops being UTF-8. Asked once, when it is known that it does. */
function firstBadByte(bytes: Buffer): number {
  let [good, bad] = [0, bytes.length];
  while (good + 1 < bad) {
    const middle = Math.floor((good + bad) / 2);
    try {
      new TextDecoder('utf-8', UTF8).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}
