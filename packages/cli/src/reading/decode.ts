/** Decodes bytes as UTF-8. Other encodings are refused, because they would garble names. */
import { NotTextError } from './errors.ts';

/** A byte order mark is removed, so that it does not become part of the first header. */
const UTF8 = { fatal: true, ignoreBOM: false };
const UTF16 = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];
/** First bytes of .xlsx and other zip files (`PK…`), and of .xls. */
const WORKBOOKS = [
  [0x50, 0x4b, 0x03, 0x04],
  [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
];
/** First bytes of what people drop by mistake: PDF, PNG, JPEG and GIF. */
const PICTURES = [
  [0x25, 0x50, 0x44, 0x46, 0x2d],
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
  [0x47, 0x49, 0x46, 0x38],
];
/** Bytes that are examined to recognise UTF-16 without a byte order mark: in English text every other byte is NUL. */
const EXAMINED_BYTES = 1_024;

/** @param file its bytes, not zipped @throws NotTextError */
export async function* decode(name: string, file: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', UTF8);
  let offset = 0;
  for await (const bytes of file) {
    if (offset === 0) refuseOtherEncodings(name, bytes);
    yield decodeOrExplain(name, decoder, bytes, offset);
    offset += bytes.length;
  }
  yield decodeOrExplain(name, decoder, undefined, offset);
}

const startsWith = (bytes: Uint8Array, mark: number[]) => mark.every((byte, at) => bytes[at] === byte);

/** @param start the first bytes of the file, unzipped @throws NotTextError if they can't be text in UTF-8 */
function refuseOtherEncodings(name: string, start: Uint8Array): void {
  if (WORKBOOKS.some((mark) => startsWith(start, mark))) throw workbook(name);
  if (PICTURES.some((mark) => startsWith(start, mark))) {
    throw new NotTextError(
      'picture',
      `${name} is a PDF or a picture, not a table. Export the customers as "CSV UTF-8".`,
    );
  }
  const examined = start.subarray(0, EXAMINED_BYTES);
  if (/^\s*</.test(new TextDecoder('latin1').decode(examined))) {
    throw new NotTextError(
      'markup',
      `${name} is a web page or XML, not a table. Open it in a spreadsheet and save it as "CSV UTF-8".`,
    );
  }
  const nuls = examined.filter((byte) => byte === 0).length;
  if (UTF16.some((mark) => startsWith(start, mark)) || nuls > examined.length / 4) {
    throw new NotTextError('encoding', `${name} is UTF-16. ${asUtf8('UTF-16', name)}`);
  }
}

export function workbook(name: string): NotTextError {
  return new NotTextError(
    'workbook',
    `${name} is a spreadsheet's workbook (or another zip file), not a table in text. Open it and save it as "CSV UTF-8".`,
  );
}

/** @param bytes undefined at the end of the file, where an unfinished character is an error */
function decodeOrExplain(
  name: string,
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Uint8Array | undefined,
  offset: number,
): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    const where = bytes === undefined ? offset : offset + firstBadByte(bytes);
    throw new NotTextError(
      'encoding',
      `${name} is not UTF-8 (near byte ${where}). It looks like Latin-1 or Windows-1252: names with accents would be ` +
        `stored wrong. ${asUtf8('WINDOWS-1252', name)}`,
    );
  }
}

const asUtf8 = (encoding: string, name: string) =>
  `Save it as UTF-8, or: iconv -f ${encoding} -t UTF-8 ${name} > utf8-${name}`;

/** Finds the first byte that is not UTF-8 by bisection. */
function firstBadByte(bytes: Uint8Array): number {
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
