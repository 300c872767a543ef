/** Opens a file or standard input, gzipped or not. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { decode } from '../reading/decode.ts';
import { CommandError } from '../reading/errors.ts';
import { readFileName } from '../reading/file-name.ts';
import type { Format, Input } from '../reading/row.ts';

export interface Source extends Input {
  /** Path of the outputs without their extensions: `/exports/customers`. */
  stem: string;
  /** The format that the file name alone suggests. */
  formatByName: Format | undefined;
  /** Can it be read twice? Standard input can't. */
  isRereadable: boolean;
}

const GZIP = Buffer.from([0x1f, 0x8b]);

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
      text: () => decode('standard input', unzipped('standard input', stdin)),
    };
  }
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CommandError(`There is no file ${path}.`);
  if (!found.isFile()) throw new CommandError(`${path} is not a file.`);
  const name = basename(path);
  const { stem, format: formatByName } = readFileName(name);
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
    text: () => decode(name, unzipped(name, createReadStream(path, { signal }))),
  };
}

/** Includes `ctime`, because some programs that copy files set `mtime` back. */
async function stateOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}

async function* unzipped(name: string, file: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  const chunks = (file as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
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
