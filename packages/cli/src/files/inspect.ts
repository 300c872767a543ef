/**
 * A file is read twice: first scanned to its end, so that an unreadable file is refused before anything is sent; then
 * sent. The file may change between the two passes or while it is sent. So the first pass takes the SHA-256 of each
 * block of the text, and the second passes no block on that differs: what is sent is what was scanned, row for row.
 */
import { createHash } from 'node:crypto';
import { CommandError } from '../reading/errors.ts';
import type { Input } from '../reading/row.ts';
import { scanTable } from '../reading/table.ts';
import { collectGarbage } from './memory.ts';

/** Each block costs 32 bytes of memory: a megabyte for a file of 8 GB. */
const BLOCK_UNITS = 256 * 1_024;
/** Rows between two garbage collections; nothing of them is kept. */
const COLLECT_EVERY_ROWS = 10_000;

/** The file is not what was scanned any more. */
export class FileChangedError extends CommandError {
  constructor(name: string) {
    super(`${name} has changed while it was read.`);
  }
}

export interface Inspection {
  /** SHA-256 of the text, hexadecimal. */
  fingerprint: string;
  rows: number;
  /** Keys of JSON that belong to no field. */
  ignored: ReadonlySet<string>;
  /** The same input; reading it throws if it is not what was scanned. */
  unchanged: Input;
}

/** Reads a whole file before anything of it is sent. @throws CommandError if it can't be read */
export async function inspect(input: Input): Promise<Inspection> {
  const whole = createHash('sha256');
  const blocks: Buffer[] = [];
  const hashed = async function* () {
    for await (const block of inBlocks(input.text())) {
      whole.update(block);
      blocks.push(hashOf(block));
      yield block;
    }
  };
  const stateBefore = await input.state?.();
  const scan = await scanTable({ ...input, text: hashed });
  let rows = 0;
  for await (const _ of scan.rows) {
    rows += 1;
    if (rows % COLLECT_EVERY_ROWS === 0) collectGarbage();
  }
  // The hash would be that of neither the old file nor the new one, and no later run could continue the import.
  if ((await input.state?.().catch(() => 'gone')) !== stateBefore) {
    throw new CommandError(
      `${input.name} has changed while it was being checked, and nothing of the new text was sent. Run the same command again when no program is writing to it.`,
    );
  }
  const unchanged = { ...input, text: () => assertUnchanged(input, blocks) };
  return { fingerprint: whole.digest('hex'), rows, ignored: scan.ignored, unchanged };
}

const hashOf = (block: string) => createHash('sha256').update(block).digest();

async function* assertUnchanged({ name, text }: Input, blocks: Buffer[]): AsyncGenerator<string> {
  let number = 0;
  try {
    for await (const block of inBlocks(text())) {
      const known = blocks[number];
      if (known === undefined || !known.equals(hashOf(block))) throw new BlockChangedError();
      yield block;
      number += 1;
    }
    if (number < blocks.length) throw new BlockChangedError();
  } catch (error) {
    // A file that could be read and can't be any more has changed as well.
    if (!(error instanceof BlockChangedError || error instanceof CommandError || isGone(error))) throw error;
    throw new FileChangedError(name);
  }
}

class BlockChangedError extends Error {}

const isGone = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Splits text into blocks that depend on the text alone: the pieces that it arrives in may differ between two reads. */
async function* inBlocks(text: AsyncGenerator<string>): AsyncGenerator<string> {
  let kept = '';
  for await (const piece of text) {
    kept += piece;
    while (kept.length > BLOCK_UNITS) {
      // Half of a surrogate pair can't be encoded as UTF-8, and so has no hash of its own.
      const end = /[\uD800-\uDBFF]/.test(kept.charAt(BLOCK_UNITS - 1)) ? BLOCK_UNITS + 1 : BLOCK_UNITS;
      yield kept.slice(0, end);
      kept = kept.slice(end);
    }
  }
  if (kept !== '') yield kept;
}
