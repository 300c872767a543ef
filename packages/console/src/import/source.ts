/** Reads a file that somebody chose, in pieces, whatever its size; a gzipped one too. Runs in the Web Worker. */
import { openCsv } from '../../../cli/src/reading/csv.ts';
import { decode } from '../../../cli/src/reading/decode.ts';
import { CommandError, EmptyFileError, NotTextError } from '../../../cli/src/reading/errors.ts';
import { findOwnColumns } from '../../../cli/src/reading/failures-file.ts';
import { NEW_CUSTOMER, recogniseColumns } from '../../../cli/src/reading/fields.ts';
import { readFileName } from '../../../cli/src/reading/file-name.ts';
import type { Format, Input } from '../../../cli/src/reading/row.ts';
import { readTable, scanTable } from '../../../cli/src/reading/table.ts';
import type { CountedFile, OpenedFile } from './plan.ts';

const PREVIEW_ROWS = 20;
/** The browser hashes a whole piece at a time, so the fingerprint is the hash of the hashes. */
const HASHED_BYTES = 4 * 1_024 * 1_024;

async function isGzipped(file: File): Promise<boolean> {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  return first === 0x1f && second === 0x8b;
}

/** The browser refuses to read on if the file has changed on the disk since it was chosen. */
async function* readBytes(file: File): AsyncGenerator<Uint8Array> {
  const plain: ReadableStream<Uint8Array> = file.stream();
  const zipped = await isGzipped(file);
  const stream = zipped ? file.stream().pipeThrough(new DecompressionStream('gzip')) : plain;
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } catch {
    throw new CommandError(
      zipped
        ? `${file.name} is damaged, or has changed since you chose it. Choose it again.`
        : `${file.name} has changed or was removed since you chose it. Choose it again.`,
    );
  } finally {
    await reader.cancel();
  }
}

/** What a file is instead of a table in UTF-8. */
const INSTEAD: Record<NotTextError['kind'], string> = {
  workbook: 'is a workbook, which can’t be read here',
  picture: 'is a PDF or a picture, not a table',
  markup: 'is a web page, not a table',
  encoding: 'is not in UTF-8, so names with accents would come out wrong',
};

/** The command line advises a command, which is of no use at a desk. */
export function inOwnWords(error: unknown, name: string): unknown {
  if (!(error instanceof NotTextError)) return error;
  return new CommandError(
    `${name} ${INSTEAD[error.kind]}: save the table as “CSV UTF-8” in your spreadsheet, and choose that file.`,
  );
}

/**
 * @param format overrides what the name says. Banks export under any ending, so an unknown one is taken for CSV.
 * @throws CommandError
 */
export function toInput(file: File, format: Format | undefined): Input {
  const known = format ?? readFileName(file.name).format ?? 'csv';
  return { name: file.name, format: known, text: () => decode(file.name, readBytes(file)) };
}

/** Reads the beginning. @throws CommandError */
export async function openFile(input: Input): Promise<OpenedFile> {
  const { name, format } = input;
  const { headers, preview, isFailuresFile } = await readBeginning(input);
  const { columns, ambiguous } = recogniseColumns(headers);
  return {
    name,
    stem: readFileName(name).stem,
    format,
    headers,
    preview,
    isFailuresFile,
    recognised: [...columns],
    ambiguous: [...ambiguous],
  };
}

async function readBeginning(
  input: Input,
): Promise<Pick<OpenedFile, 'headers' | 'preview' | 'isFailuresFile'>> {
  const preview: string[][] = [];
  if (input.format !== 'csv') {
    const { headers, rows } = await readTable(input, [], NEW_CUSTOMER);
    for await (const { cells } of rows) if (preview.push(cells) === PREVIEW_ROWS) break;
    if (preview.length === 0) throw new EmptyFileError(input.name);
    return { headers, preview, isFailuresFile: false };
  }
  const { headers, records } = await openCsv(input.name, input.text());
  for await (const record of records) if (preview.push(record) === PREVIEW_ROWS) break;
  if (preview.length === 0) {
    throw new CommandError(`${input.name} has a header and no rows: export it again, with the customers.`);
  }
  return { headers, preview, isFailuresFile: findOwnColumns(headers) !== undefined };
}

/** Reads to the end, so that an unreadable file is refused before anything is sent. @throws CommandError */
export async function countFile(file: File, input: Input): Promise<CountedFile> {
  const { rows } = await scanTable(input);
  let number = 0;
  for await (const _ of rows) number += 1;
  return { rows: number, fingerprint: await fingerprintOf(file) };
}

async function fingerprintOf(file: File): Promise<string> {
  const hashes: ArrayBuffer[] = [];
  for (let at = 0; at < file.size; at += HASHED_BYTES) {
    hashes.push(await sha256(await file.slice(at, at + HASHED_BYTES).arrayBuffer()));
  }
  const whole = new Uint8Array(await sha256(await new Blob(hashes).arrayBuffer()));
  return [...whole].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const sha256 = (bytes: ArrayBuffer) => crypto.subtle.digest('SHA-256', bytes);
