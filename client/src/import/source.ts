/**
 * What is imported, as text: a file or standard input, gzipped or not. It must be UTF-8: a name in another encoding
 * would be stored as something that nobody is called. A file is looked through before its first row is sent.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { ImportFault } from './fault.ts';

export type Format = 'csv' | 'ndjson' | 'json';

export interface Source {
  /** As messages call it. */
  name: string;
  format: Format;
  /** Where what is written goes, without its ending: `/exports/customers`. */
  stem: string;
  /** Bytes on disk; undefined for standard input, which can be read once only. */
  size: number | undefined;
  /** The text, read anew. @param onBytes told how many bytes of the file have been read so far */
  text(onBytes?: (bytes: number) => void): AsyncGenerator<string>;
}

/** A byte order mark is no part of the first header. */
const UTF8 = { fatal: true, ignoreBOM: false };
const GZIP = Buffer.from([0x1f, 0x8b]);
const UTF16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/**
 * @param path of a file; `-` for standard input
 * @param format where the name does not say it
 */
export async function openSource(
  path: string,
  format: Format | undefined,
  stdin: NodeJS.ReadStream,
): Promise<Source> {
  if (path === '-') {
    return {
      name: 'standard input',
      format: format ?? 'csv',
      stem: join(process.cwd(), 'stdin'),
      size: undefined,
      text: (onBytes) => decode('standard input', stdin, onBytes),
    };
  }
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new ImportFault(`There is no file ${path}.`);
  if (!found.isFile()) throw new ImportFault(`${path} is not a file.`);
  const name = basename(path);
  const [, stem = name, ending] = /^(.*?)\.(csv|tsv|txt|ndjson|jsonl|json)(\.gz)?$/i.exec(name) ?? [];
  const known = format ?? formatOf(ending);
  if (known === undefined) {
    throw new ImportFault(
      `What ${name} holds can't be told from its name: say --format csv, ndjson or json.`,
    );
  }
  return {
    name,
    format: known,
    stem: join(dirname(path), stem),
    size: found.size,
    text: (onBytes) => decode(name, createReadStream(path), onBytes),
  };
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

/**
 * Reads all of a file once: is it UTF-8, and what is its fingerprint?
 * @returns SHA-256 of the text, hexadecimal
 */
export async function inspect(source: Source): Promise<string> {
  const hash = createHash('sha256');
  for await (const text of source.text()) hash.update(text);
  return hash.digest('hex');
}

async function* decode(
  name: string,
  file: NodeJS.ReadableStream,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<string> {
  let read = 0;
  const counted = async function* () {
    for await (const chunk of file as AsyncIterable<Buffer>) {
      read += chunk.length;
      onBytes(read);
      yield chunk;
    }
  };
  const decoder = new TextDecoder('utf-8', UTF8);
  let offset = 0;
  for await (const bytes of unzipped(name, counted())) {
    if (offset === 0 && UTF16.some((mark) => bytes.subarray(0, 2).equals(mark))) {
      throw new ImportFault(
        `${name} is UTF-16. Save it as UTF-8, or: iconv -f UTF-16 -t UTF-8 ${name} > utf8-${name}`,
      );
    }
    yield decodeOrExplain(name, decoder, bytes, offset);
    offset += bytes.length;
  }
  yield decodeOrExplain(name, decoder, undefined, offset);
}

async function* unzipped(name: string, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const first = await chunks.next();
  if (first.done === true) return;
  const all = async function* () {
    yield first.value;
    yield* chunks;
  };
  if (!first.value.subarray(0, 2).equals(GZIP)) {
    yield* all();
    return;
  }
  const { Readable } = await import('node:stream');
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
        `stored wrong. Save it as UTF-8, or: iconv -f WINDOWS-1252 -t UTF-8 ${name} > utf8-${name}`,
    );
  }
}

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
