/**
 * One Idempotency-Key, one batch. The record is part of the accepting transaction, so of ten concurrent requests one
 * wins and the others get its batch. An isolate that is already working on a key refuses the second request before it
 * does the work twice.
 */
import { AppError } from '../../errors.ts';
import type { FieldKey } from '../../crypto/field-cipher.ts';
import { idSequence } from '../../lib/ids.ts';
import type { Runtime } from '../../runtime.ts';
import type { RowFailure } from '../batches.responses.ts';
import { createFingerprint, matchesFingerprint } from './fingerprint.ts';
import type { AcceptedBatch } from './report.ts';
import { decodeFailure, encodeFailure } from '../failures.ts';

/** How long an Idempotency-Key is remembered. The reference states it. */
export const IDEMPOTENCY_KEY_TTL_MS = 72 * 3_600_000;

/** Seconds after which to retry a request whose key is in use; a batch takes less than one. */
const RETRY_AFTER_SECONDS = 1;

export interface Idempotency {
  key: string;
  /** What the body means: fingerprint.ts. */
  fingerprint: string;
  /** Does a recorded fingerprint mean this body too? */
  matches: (recorded: string) => Promise<boolean>;
}

export interface IdempotencyRecord {
  fingerprint: string;
  answer: string;
}

/** @param fieldKeyOf returns the field key of a version, or the newest */
export async function readIdempotency(
  runtime: Pick<Runtime, 'sleep'>,
  key: string,
  rows: unknown[],
  fieldKeyOf: (version?: number) => Promise<FieldKey>,
): Promise<Idempotency> {
  return {
    key,
    fingerprint: await createFingerprint(runtime, rows, fieldKeyOf),
    matches: (recorded) => matchesFingerprint(runtime, recorded, rows, fieldKeyOf),
  };
}

/** Longer than any request takes: three attempts to write and read back, 10 and 5 seconds each, in two shards. */
const MAX_REQUEST_MS = 120_000;

/**
 * The Idempotency-Keys that an isolate is working on. An entry expires by itself, because the platform may stop a
 * request whose client has gone away without running its `finally`.
 */
export class InFlightRequests {
  readonly #since = new Map<string, number>();

  /** @throws IDEMPOTENCY_IN_PROGRESS when the same key is being worked on here */
  async run<Result>(bankId: string, key: string, now: number, work: () => Promise<Result>): Promise<Result> {
    this.#forgetStopped(now);
    const name = `${bankId} ${key}`;
    if (this.#since.has(name)) {
      throw new AppError('IDEMPOTENCY_IN_PROGRESS', {
        headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
      });
    }
    this.#since.set(name, now);
    try {
      return await work();
    } finally {
      this.#since.delete(name);
    }
  }

  /** The oldest entries come first, so this stops at the first one that has not expired. */
  #forgetStopped(now: number): void {
    for (const [name, since] of this.#since) {
      if (now - since < MAX_REQUEST_MS) return;
      this.#since.delete(name);
    }
  }
}

/** What is stored of a response: failures as codes, and only the first of the consecutive customer ids. */
export function toRecord(fingerprint: string, { report, refusal }: AcceptedBatch): IdempotencyRecord {
  const { createdCount, customerIds } = report.data;
  const data = { createdCount, firstCustomerId: customerIds[0] ?? null };
  const failures = report.failures.map((failure): StoredRowFailure => {
    const { code, faults } = encodeFailure(failure);
    return [failure.index, failure.clientRef, code, faults];
  });
  return { fingerprint, answer: JSON.stringify({ refusal, report: { ...report, failures, data } }) };
}

type StoredRowFailure = [index: number, clientRef: string | null, code: string, faults: string];

/** Records from before failures were stored as codes hold them as objects. */
function toRowFailure(kept: StoredRowFailure | RowFailure): RowFailure {
  if (!Array.isArray(kept)) return kept;
  const [index, clientRef, code, faults] = kept;
  return { index, clientRef, ...decodeFailure({ code, faults }) };
}

/**
 * Returns the first response again.
 * @throws IDEMPOTENCY_KEY_REUSED when the body means something else
 */
export async function replayResponse(
  record: IdempotencyRecord,
  idempotency: Idempotency,
): Promise<AcceptedBatch> {
  if (!(await idempotency.matches(record.fingerprint))) {
    const message = 'belongs to another body; send a new key with a new body';
    throw new AppError('IDEMPOTENCY_KEY_REUSED', { errors: [{ field: 'Idempotency-Key', message }] });
  }
  const { refusal, report } = JSON.parse(record.answer);
  const { createdCount, firstCustomerId } = report.data;
  const customerIds = firstCustomerId === null ? [] : idSequence(firstCustomerId, createdCount);
  const failures = report.failures.map(toRowFailure);
  return { refusal, report: { ...report, failures, data: { createdCount, customerIds } } };
}
