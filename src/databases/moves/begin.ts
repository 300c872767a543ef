/** May a bank be moved? The rules in front of a move, as sentences for the operator. */
import type { Move } from './move.ts';

/** D1's limit of one database. */
export const MAX_SHARD_BYTES = 10 * 1_000_000_000;

/** Bytes of a customer with its entries in three indexes, as `npm run bench` measures them, and of a change in the audit log. */
const BYTES_PER_CUSTOMER = 560;
const BYTES_PER_OTHER_ROW = 300;

/** Rows a second that are copied and compared, as measured beside lookups (docs/scaling.md). */
const ROWS_PER_SECOND = 2_900;
/** Room for a busier database than the measured one. */
const RATE_MARGIN = 1.2;
/** Until the cron begins, and once more if it ends just after a minute. */
const CRON_SECONDS = 70;

export interface ShardFacts {
  name: string;
  jurisdiction: string | null;
  isClosed: boolean;
  /** The names of its migrations, in order. */
  migrations: readonly string[];
  bytes: number;
}

export interface MoveFacts {
  /** What the command names. */
  bankId: string;
  targetName: string;
  /** Undefined: the directory does not have it. */
  source: ShardFacts | undefined;
  target: ShardFacts | undefined;
  /** The state of the bank's row in `tenants` of the source; undefined: it has none. */
  state: string | undefined;
  customerCount: number;
  /** Of all tables that are copied, and customers that are staged in open chunks. */
  rowCount: number;
  /** A move of this bank that is not over. */
  unfinished: Pick<Move, 'number' | 'target' | 'phase'> | undefined;
  allowsJurisdictionChange: boolean;
  /** What follows a command that the operator should run, such as ` --remote`. */
  commandOptions: string;
}

/** @returns why the bank can't be moved, in one sentence; null: it can */
export function explainRefusal(facts: MoveFacts): string | null {
  const { bankId, targetName, source, target, unfinished, state, commandOptions: options } = facts;
  if (source === undefined) return `There is no bank ${bankId}: npm run bank -- list${options} shows all.`;
  if (target === undefined)
    return `There is no shard ${targetName}: npm run shard -- list${options} shows all.`;
  if (unfinished !== undefined)
    return `${explainUnfinished(bankId, unfinished)} (npm run bank -- move ${bankId} --status${options}).`;
  if (source.name === target.name) return `${bankId} is in ${target.name} already.`;
  if (target.isClosed)
    return `${target.name} is closed to new banks: choose another, or open it with npm run shard -- open ${target.name}${options}.`;
  if (source.jurisdiction !== target.jurisdiction && !facts.allowsJurisdictionChange)
    return `${bankId} is ${placeOf(source)} and ${target.name} is ${placeOf(target)}: add --allow-jurisdiction-change if its data may go there.`;
  if (source.migrations.join() !== target.migrations.join())
    return `${source.name} and ${target.name} have different migrations: apply the missing ones first (npm run deploy; on your own machine, npm start).`;
  if (state !== 'open')
    return `${bankId} is not open in ${source.name}, as the directory says: npm run shard -- check${options} shows what differs.`;
  if (target.bytes + bytesOf(facts) > MAX_SHARD_BYTES)
    return `${bankId} takes about ${gigabytes(bytesOf(facts))} and ${target.name} has ${gigabytes(MAX_SHARD_BYTES - target.bytes)} left: choose another shard.`;
  return null;
}

function explainUnfinished(
  bankId: string,
  { number, target, phase }: Pick<Move, 'number' | 'target' | 'phase'>,
): string {
  const wait =
    phase === 'cleaning'
      ? 'its old rows are kept for five minutes after the switch, and then removed'
      : phase === 'aborting'
        ? 'it was aborted, and its copies are being removed'
        : 'it is under way';
  return `Move ${number} of ${bankId} to ${target} is not over: ${wait}`;
}

const placeOf = ({ jurisdiction }: ShardFacts): string =>
  jurisdiction === null ? 'in no jurisdiction' : `in the jurisdiction ${jurisdiction}`;

const gigabytes = (bytes: number): string => `${(Math.max(bytes, 0) / 1_000_000_000).toFixed(1)} GB`;

const bytesOf = ({ customerCount, rowCount }: Pick<MoveFacts, 'customerCount' | 'rowCount'>): number =>
  customerCount * BYTES_PER_CUSTOMER + Math.max(rowCount - customerCount, 0) * BYTES_PER_OTHER_ROW;

/** @returns for how many seconds changes of a bank with so many rows wait at most */
export function estimateWaitSeconds(rows: number): number {
  return Math.ceil((rows / ROWS_PER_SECOND) * RATE_MARGIN + CRON_SECONDS);
}
