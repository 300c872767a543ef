/**
 * A file is read twice: looked through, so that what can't be read at its end is not begun; then sent. Between the two,
 * and while it is sent, somebody may write to it. So the first pass takes the SHA-256 of each block of the text, and the
 * second lets no block through that is another one: what is sent is what was looked through, row for row.
 */
import { createHash } from 'node:crypto';
import { FileChanged, ImportFault } from '../reading/fault.ts';
import { clearUp } from './memory.ts';
import { lookThrough } from '../reading/table.ts';
import type { Input } from '../reading/row.ts';

/** UTF-16 units: 32 bytes are kept for each, which is a megabyte for a file of 8 GB. */
const BLOCK_UNITS = 256 * 1_024;
/** Rows between two times of clearing up, where nothing of them is kept. */
const INSPECTED_AT_ONCE = 10_000;

export interface Inspected {
  /** SHA-256 of the text, hexadecimal. */
  fingerprint: string;
  rows: number;
  /** Keys of JSON that are of no field. */
  ignored: ReadonlySet<string>;
  /** The same input; reading it fails where it is not what was looked through. */
  unchanged: Input;
}

/** Reads all of a file before anything of it is sent. @throws ImportFault where it can't be read */
export async function inspect(input: Input): Promise<Inspected> {
  const whole = createHash('sha256');
  const blocks: Buffer[] = [];
  const hashed = async function* () {
    for await (const block of inBlocks(input.text())) {
      whole.update(block);
      blocks.push(hashOf(block));
      yield block;
    }
  };
  const before = await input.state?.();
  const looked = await lookThrough({ ...input, text: hashed });
  let rows = 0;
  for await (const _ of looked.rows) {
    rows += 1;
    if (rows % INSPECTED_AT_ONCE === 0) clearUp();
  }
  // What was hashed would be neither the old file nor the new one, and nothing could go on with it.
  if ((await input.state?.().catch(() => 'gone')) !== before) {
    throw new ImportFault(
      `${input.name} has changed while it was looked through, and nothing of the new text was sent. Run the same command again when nobody writes to it.`,
    );
  }
  const unchanged = { ...input, text: () => assertUnchanged(input, blocks) };
  return { fingerprint: whole.digest('hex'), rows, ignored: looked.ignored, unchanged };
}

const hashOf = (block: string) => createHash('sha256').update(block).digest();

async function* assertUnchanged({ name, text }: Input, blocks: Buffer[]): AsyncGenerator<string> {
  let number = 0;
  try {
    for await (const block of inBlocks(text())) {
      const known = blocks[number];
      if (known === undefined || !known.equals(hashOf(block))) throw new Changed();
      yield block;
      number += 1;
    }
    if (number < blocks.length) throw new Changed();
  } catch (error) {
    // A file that could be read, and can't any more, has changed as well.
    if (!(error instanceof Changed || error instanceof ImportFault || isGone(error))) throw error;
    throw new FileChanged(name);
  }
}

class Changed extends Error {}

const isGone = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Text in blocks that depend on the text alone: the pieces that it arrives in may differ between two times. */
async function* inBlocks(text: AsyncGenerator<string>): AsyncGenerator<string> {
  let kept = '';
  for await (const piece of text) {
    kept += piece;
    while (kept.length > BLOCK_UNITS) {
      // Half of a surrogate pair has no UTF-8, and so no hash of its own.
      const end = /[\uD800-\uDBFF]/.test(kept.charAt(BLOCK_UNITS - 1)) ? BLOCK_UNITS + 1 : BLOCK_UNITS;
      yield kept.slice(0, end);
      kept = kept.slice(end);
    }
  }
  if (kept !== '') yield kept;
}
