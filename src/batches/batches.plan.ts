/** What an accepted batch will be: ids, phrases and chunks given out, before anything is written. */
import { LIMITS } from '../env.ts';
import { inSlices } from '../lib/slices.ts';
import { createId, idSequence } from '../lib/ids.ts';
import { createPhrase } from '../lib/phrase.ts';
import type { Runtime } from '../runtime.ts';
import type { RowFailure, ValidRow } from './batches.judge.ts';

const STAGED_TEXTS = [
  'id',
  'phrase',
  'clientRef',
  'email',
  'accountName',
  'firstname',
  'lastname',
  'middlename',
  'country',
  'address',
  'gender',
  'phone',
  'accountNumber',
  'reference',
] as const;
/**
 * A staged customer is a JSON array of these, in this order: half the size of an object, and the size is what
 * the way to D1 costs. Only the end may be added to while chunks are under way.
 */
export const STAGED_FIELDS = ['index', ...STAGED_TEXTS] as const;
export type StagedField = (typeof STAGED_FIELDS)[number];

export interface PlannedChunk {
  chunk: number;
  firstIndex: number;
  lastIndex: number;
  rowCount: number;
  /** A JSON array of staged customers; what the consumer's SQL reads. */
  payload: string;
}

export interface BatchPlan {
  bankId: string;
  batchId: string;
  createdAt: number;
  total: number;
  /** Failures by number: of rows that are customers already or twice in the batch; of rows that can't be. */
  duplicates: number;
  invalid: number;
  customerIds: string[];
  chunks: PlannedChunk[];
  failures: RowFailure[];
}

/** @param chunkRows most customers of a chunk */
export function planBatch(
  bankId: string,
  total: number,
  accepted: ValidRow[],
  failures: RowFailure[],
  runtime: Pick<Runtime, 'now' | 'random'>,
  chunkRows: number,
): BatchPlan {
  const createdAt = runtime.now();
  const clock = { now: () => createdAt, random: runtime.random };
  const customerIds = accepted.length === 0 ? [] : idSequence(createId('cus', clock), accepted.length);
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
    chunks: toChunks(accepted, customerIds, runtime.random, chunkRows),
    failures,
  };
}

type StagedRow = readonly [index: number, ...rest: (string | undefined)[]];

function toChunks(
  accepted: ValidRow[],
  customerIds: string[],
  random: () => number,
  chunkRows: number,
): PlannedChunk[] {
  const rows = accepted.map(({ index, row }, position): StagedRow => {
    const staged = { ...row, id: customerIds[position], phrase: createPhrase(random) };
    return [index, ...STAGED_TEXTS.map((field) => staged[field])];
  });
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

const utf8 = new TextEncoder();

/** A slice and its payload; halved until each payload is as small as a chunk must be. */
function withinBytes(slice: StagedRow[]): { slice: StagedRow[]; payload: string }[] {
  const payload = JSON.stringify(slice);
  if (slice.length === 1 || utf8.encode(payload).length <= LIMITS.chunkBytes) return [{ slice, payload }];
  return inSlices(slice, Math.ceil(slice.length / 2)).flatMap(withinBytes);
}
