/**
 * Opens a file or standard input, gzipped or not, and decodes it as UTF-8. Other encodings are refused, because they
 * would garble names.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { createGunzip } from 'node:zlib';
import { CommandError } from '../reading/errors.ts';
import type { Format, Input } from '../reading/row.ts';

export interface Source extends Input {
  /** Path of the outputs without their extensions: `/exports/customers`. */
  stem: string;
  /** The format that the file name alone suggests. */
  formatByName: Format | undefined;
  /** Can it be read twice? Standard input can't. */
  isRereadable: boolean;
}

/** A byte order mark is removed, so that it does not become part of the first header. */
const UTF8 = { fatal: true, ignoreBOM: false };
const GZIP = Buffer.from([0x1f, 0x8b]);
const UTF16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];
/** First bytes of .xlsx and other zip files, and of .xls. */
const WORKBOOKS = [Buffer.from('PK\x03\x04', 'latin1'), Buffer.from('D0CF11E0A1B11AE1', 'hex')];
const WORKBOOK_NAME = /\.(xlsx|xlsm|xlsb|xls|ods|numbers)$/i;
/** Bytes that are examined to recognise UTF-16 without a byte order mark: in English text every other byte is NUL. */
const EXAMINED_BYTES = 1_024;

/**
 * @param path of a file; `-` for standard input
 * @param format overrides what the name says
 * @param signal stops reading
 */
export async function openSource(
  path: string,
  format: Format | undefined,
  stdin: NodeJS.ReadStream,
  signal: AbortSignal,
): Promise<Source> {
  if (path === '-') {
    // The program that writes to it may never end by itself.
    signal.addEventListener('abort', () => stdin.destroy(signal.reason as Error), { once: true });
    return {
      name: 'standard input',
      format: format ?? 'csv',
      formatByName: undefined,
      stem: join(process.cwd(), 'stdin'),
      isRereadable: false,
      text: () => decode('standard input', stdin),
    };
  }
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CommandError(`There is no file ${path}.`);
  if (!found.isFile()) throw new CommandError(`${path} is not a file.`);
  const name = basename(path);
  const [, stem = name, ending] = /^(.*?)\.(csv|tsv|txt|ndjson|jsonl|json)(\.gz)?$/i.exec(name) ?? [];
  if (WORKBOOK_NAME.test(name)) throw workbook(name);
  const formatByName = formatOf(ending);
  const known = format ?? formatByName;
  if (known === undefined) {
    throw new CommandError(
      `The format of ${name} can’t be told from its name: use --format csv, ndjson or json.`,
    );
  }
  return {
    name,
    format: known,
    formatByName,
    stem: join(dirname(path), stem),
    isRereadable: true,
    state: () => stateOf(path),
    text: () => decode(name, createReadStream(path, { signal })),
  };
}

/** Includes `ctime`, because some programs that copy files set `mtime` back. */
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
    if (offset === 0) refuseOtherEncodings(name, bytes);
    yield decodeOrExplain(name, decoder, bytes, offset);
    offset += bytes.length;
  }
  yield decodeOrExplain(name, decoder, undefined, offset);
}

/** @param start the first bytes of the file, unzipped @throws CommandError if they can't be text in UTF-8 */
function refuseOtherEncodings(name: string, start: Buffer): void {
  if (WORKBOOKS.some((mark) => start.subarray(0, mark.length).equals(mark))) throw workbook(name);
  if (/^\s*</.test(start.toString('latin1', 0, EXAMINED_BYTES))) {
    throw new CommandError(
      `${name} is a web page or XML, not a table. Open it in a spreadsheet and save it as "CSV UTF-8".`,
    );
  }
  const examined = start.subarray(0, EXAMINED_BYTES);
  const nuls = examined.filter((byte) => byte === 0).length;
  if (UTF16.some((mark) => start.subarray(0, 2).equals(mark)) || nuls > examined.length / 4) {
    throw new CommandError(`${name} is UTF-16. ${asUtf8('UTF-16', name)}`);
  }
}

function workbook(name: string): CommandError {
  return new CommandError(
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
    throw new CommandError(`${name} is damaged and can’t be unzipped to its end. Copy it again.`);
  }
}

/** @param bytes undefined at the end of the file, where an unfinished character is an error */
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
    throw new CommandError(
      `${name} is not UTF-8 (near byte ${where}). It looks like Latin-1 or Windows-1252: names with accents would be ` +
        `stored wrong. ${asUtf8('WINDOWS-1252', name)}`,
    );
  }
}

const asUtf8 = (encoding: string, name: string) =>
  `Save it as UTF-8, or: iconv -f ${encoding} -t UTF-8 ${name} > utf8-${name}`;

/** Finds the first byte that is not UTF-8 by bisection. */
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
