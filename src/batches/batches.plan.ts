/** What an accepted batch will be: ids, phrases and chunks given out, before anything is written. */
import { LIMITS } from '../env.ts';
import { createId, idSequence } from '../lib/ids.ts';
import { createPhrase } from '../lib/phrase.ts';
import type { Runtime } from '../runtime.ts';
import type { RowFailure, ValidRow } from './batches.judge.ts';

/**
 * A staged customer is a JSON array of these, in this order: half the size of an object, and the size is what
 * the way to D1 costs. Only the end may be added to while chunks are under way.
 */
export const STAGED_FIELDS = [
  'index',
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

const utf8 = new TextEncoder();
/** More than any row can be: its fields together have at most 1,800 characters of at most 4 bytes, twice escaped. */
const scratch = new Uint8Array(64 * 1024);

function toChunks(
  accepted: ValidRow[],
  customerIds: string[],
  random: () => number,
  chunkRows: number,
): PlannedChunk[] {
  const chunks: PlannedChunk[] = [];
  let rows: { index: number; json: string }[] = [];
  let bytes = 0;
  const close = () => {
    const first = rows[0];
    const last = rows.at(-1);
    if (first === undefined || last === undefined) return;
    chunks.push({
      chunk: chunks.length,
      firstIndex: first.index,
      lastIndex: last.index,
      rowCount: rows.length,
      payload: `[${rows.map(({ json }) => json).join(',')}]`,
    });
    rows = [];
    bytes = 0;
  };
  for (const [position, { index, row }] of accepted.entries()) {
    const staged = { ...row, index, id: customerIds[position], phrase: createPhrase(random) };
    const json = JSON.stringify(STAGED_FIELDS.map((field) => staged[field]));
    const size = utf8.encodeInto(json, scratch).written + 1;
    if (rows.length === chunkRows || bytes + size > LIMITS.chunkBytes) close();
    rows.push({ index, json });
    bytes += size;
  }
  close();
  return chunks;
}
