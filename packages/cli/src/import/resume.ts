/** Decides whether this command may continue an import that was begun earlier. */
import { PeereError, type PeereClient } from '@peere/client';
import type { Source } from '../files/source.ts';
import { CommandError } from '../reading/errors.ts';
import { Journal, JOURNAL_VERSION } from './journal.ts';

/**
 * Finds the journal of an earlier import of this very input.
 * @returns undefined if there is none
 * @throws CommandError if the import was begun with other options than it should continue with
 */
export function findJournal(
  { url, map }: { url: string; map: string[] },
  source: Source,
  path: string,
  input: string,
): Journal | undefined {
  const known = Journal.read(path);
  if (known === undefined) return undefined;
  const { beginning, finished } = known;
  const refuse = (why: string, fix: string) => {
    known.close();
    return new CommandError(`${why} ${fix}, or move ${path} away to start again.`);
  };
  if (beginning.input !== input) {
    // The earlier file of this name was imported to its end, or was fixed before any of its rows was sent.
    const isOver = finished || (known.firstBatchId === undefined && known.done.length === 0);
    if (!isOver) {
      throw refuse(
        `${source.name} has changed since its import began.`,
        'Put the old file back to finish it',
      );
    }
    known.close();
    return undefined;
  }
  if (beginning.journal !== JOURNAL_VERSION && !finished) {
    throw refuse(
      `The import of ${source.name} was begun by another version of peere, which counts rows differently.`,
      'Finish it with that version',
    );
  }
  if (serverOf(beginning.url) !== serverOf(url)) {
    throw refuse(`The import of ${source.name} was begun at ${beginning.url}.`, 'Continue it there');
  }
  const format = beginning.format ?? source.formatByName;
  if (format !== undefined && source.format !== format) {
    throw refuse(
      `The import of ${source.name} was begun as ${format}; as another format, each batch would have other rows.`,
      `Use --format ${format} to continue`,
    );
  }
  if (map.length > 0 && String(map) !== String(beginning.map)) {
    throw refuse(
      `The import of ${source.name} was begun with other columns.`,
      'Leave --map out to continue with those',
    );
  }
  return known;
}

/** Normalises a URL: a trailing slash, capitals in the host and the default port make no difference. */
const serverOf = (url: string) => (URL.canParse(url) ? new URL(url).href.replace(/\/+$/, '') : url);

/** @throws CommandError if the API key belongs to another bank than the one that began the import */
export async function assertSameBank(
  client: PeereClient,
  batchId: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.getBatch(batchId, { signal });
  } catch (error) {
    if (!(error instanceof PeereError) || error.code !== 'BATCH_NOT_FOUND') throw error;
    throw new CommandError(
      'This import was begun with an API key of another bank, or so long ago that the service no longer keeps its batches (30 days). Use that bank’s API key, or move the journal away to start again.',
    );
  }
}
