/** May an import that was begun before be gone on with, by this command? */
import { PeereError, type PeereClient } from '../../../client/src/client.ts';
import { ImportFault } from '../reading/fault.ts';
import { Journal, JOURNAL_VERSION } from './journal.ts';
import type { Source } from '../files/source.ts';

/**
 * The journal of an import of this very input that was begun before; undefined where there is none.
 * @throws ImportFault where it was begun otherwise than it should go on
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
  const refuse = (why: string, mend: string) => {
    known.close();
    return new ImportFault(`${why} ${mend}, or move ${path} away to begin anew.`);
  };
  if (beginning.input !== input) {
    // Of another file of this name that was imported, or of one that was mended before anything of it was sent.
    const isOver = finished || (known.firstBatchId === undefined && known.done.length === 0);
    if (!isOver) {
      throw refuse(`${source.name} has changed since its import began.`, 'Put the old one back to finish it');
    }
    known.close();
    return undefined;
  }
  if (beginning.journal !== JOURNAL_VERSION && !finished) {
    throw refuse(
      `The import of ${source.name} was begun by another version of peere-import, which counts rows otherwise.`,
      'Finish it with that one',
    );
  }
  if (serverOf(beginning.url) !== serverOf(url)) {
    throw refuse(`The import of ${source.name} was begun at ${beginning.url}.`, 'Go on there');
  }
  const format = beginning.format ?? source.formatByName;
  if (format !== undefined && source.format !== format) {
    throw refuse(
      `The import of ${source.name} was begun as ${format}, and other rows would be in each of its batches.`,
      `Say --format ${format} to go on`,
    );
  }
  if (map.length > 0 && String(map) !== String(beginning.map)) {
    throw refuse(
      `The import of ${source.name} was begun with other columns.`,
      'Leave --map out to go on with those',
    );
  }
  return known;
}

/** An address without what makes no difference: a slash at its end, capitals in its host, the usual port. */
const serverOf = (url: string) => (URL.canParse(url) ? new URL(url).href.replace(/\/+$/, '') : url);

/** @throws ImportFault where the key is not of the bank whose import it is */
export async function recognise(client: PeereClient, batchId: string, signal: AbortSignal): Promise<void> {
  try {
    await client.getBatch(batchId, { signal });
  } catch (error) {
    if (!(error instanceof PeereError) || error.code !== 'BATCH_NOT_FOUND') throw error;
    throw new ImportFault(
      'This import was begun with a key of another bank, or more than 30 days ago, when the service forgets what became of a batch. Use that bank’s key, or move the journal away to begin anew.',
    );
  }
}
