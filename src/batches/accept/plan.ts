/** Plans an accepted batch: assigns ids, phrases and chunks before anything is written. */
import { LIMITS } from '../../limits.ts';
import type { FieldKey } from '../../crypto/field-cipher.ts';
import { STAGED_TEXTS, type StagedText } from '../../customers/fields.ts';
import { sealFields } from '../../customers/sealed-fields.ts';
import { inSlices } from '../../lib/slices.ts';
import { createId, idSequence } from '../../lib/ids.ts';
import { drawPhrase } from '../../databases/first-words.ts';
import type { ShardName } from '../../databases/home.ts';
import type { Runtime } from '../../runtime.ts';
import type { RowFailure } from '../batches.responses.ts';
import { inTurns } from './turns.ts';
import type { ValidRow } from './validate.ts';

export interface PlannedChunk {
  chunk: number;
  firstIndex: number;
  lastIndex: number;
  rowCount: number;
  /** A JSON array of staged customers, which the consumer's SQL reads. */
  payload: string;
}

/** A batch without its chunks. */
export interface BatchOutline {
  bankId: string;
  batchId: string;
  createdAt: number;
  total: number;
  /** Failed rows that are duplicates, of a customer or of an earlier row; and failed rows that are invalid. */
  duplicates: number;
  invalid: number;
  customerIds: string[];
  failures: RowFailure[];
}

export interface BatchPlan extends BatchOutline {
  chunks: PlannedChunk[];
}

/** @param acceptedCount rows that will become customers */
export function outlineBatch(
  bankId: string,
  total: number,
  acceptedCount: number,
  failures: RowFailure[],
  runtime: Pick<Runtime, 'now' | 'random'>,
): BatchOutline {
  const createdAt = runtime.now();
  const clock = { now: () => createdAt, random: runtime.random };
  const customerIds = acceptedCount === 0 ? [] : idSequence(createId('cus', clock), acceptedCount);
  const invalid = failures.filter(
    ({ code }) => code === 'INVALID_DATA' || code === 'VALIDATION_ERROR',
  ).length;
  return {
    bankId,
    batchId: createId('bat', clock),
    createdAt,
    total,
    duplicates: failures.length - invalid,
    invalid,
    customerIds,
    failures,
  };
}

type StagedRow = readonly [index: number, ...rest: (string | undefined)[]];

/**
 * Assigns a phrase to every accepted row, seals its account number and reference, and divides the rows into chunks.
 * @param accepted as many rows as the outline has ids
 * @param chunkRows customers per chunk at most
 * @param shard where the bank is: its words begin the phrases
 */
export async function stageChunks(
  { bankId, customerIds }: BatchOutline,
  accepted: ValidRow[],
  fieldKey: FieldKey,
  runtime: Pick<Runtime, 'random' | 'sleep'>,
  chunkRows: number,
  shard: ShardName,
): Promise<PlannedChunk[]> {
  const turns = await inTurns(runtime, accepted, (slice, first) =>
    stageRows(slice, bankId, customerIds.slice(first, first + slice.length), fieldKey, () =>
      drawPhrase(shard, runtime.random),
    ),
  );
  const rows = turns.flat();
  return inSlices(rows, chunkRows)
    .flatMap(withinBytes)
    .map(({ slice, payload }, chunk) => ({
      chunk,
      firstIndex: slice[0]?.[0] ?? 0,
      lastIndex: slice.at(-1)?.[0] ?? 0,
      rowCount: slice.length,
      payload,
    }));
}

/** Makes no promise but one for each row: a batch has 10,000. */
async function stageRows(
  rows: ValidRow[],
  bankId: string,
  customerIds: string[],
  fieldKey: FieldKey,
  draw: () => string,
): Promise<StagedRow[]> {
  const sealed = await Promise.all(
    rows.map(({ row }, position) => sealFields(fieldKey, bankId, customerIds[position] ?? '', row)),
  );
  return rows.map(({ index, row }, position): StagedRow => {
    const staged: { [Field in StagedText]?: string | undefined } = {
      ...row,
      id: customerIds[position],
      phrase: draw(),
      sealedFields: sealed[position],
    };
    return [index, ...STAGED_TEXTS.map((field) => staged[field])];
  });
}

const utf8 = new TextEncoder();

/** Serialises a slice, and halves it until each payload has at most `LIMITS.chunkBytes`. */
function withinBytes(slice: StagedRow[]): { slice: StagedRow[]; payload: string }[] {
  const payload = JSON.stringify(slice);
  if (slice.length === 1 || utf8.encode(payload).length <= LIMITS.chunkBytes) return [{ slice, payload }];
  return inSlices(slice, Math.ceil(slice.length / 2)).flatMap(withinBytes);
}
