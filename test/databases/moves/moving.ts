/** Moves in tests: a bank with rows in every table, a clock that jumps, and what both shards have. */
import { env } from 'cloudflare:workers';
import { firstWordsOf } from '../../../src/databases/first-words.ts';
import { advanceMoves, MOVE_RANGE, type MoveDeps } from '../../../src/databases/moves/driver.ts';
import type { Move } from '../../../src/databases/moves/move.ts';
import { insertMove, selectLatestMove } from '../../../src/databases/moves/moves.store.ts';
import { execute } from '../../../src/db/statements.ts';
import { LAGOS } from '../../support/banks.ts';
import { sentCustomer, sentCustomers } from '../../support/customers.ts';
import { Service } from '../../support/service.ts';

export type ShardName = 'SHARD_1' | 'SHARD_2';

/** A word with which the shard's phrases may begin. */
export const ownWord = (shard: ShardName) => firstWordsOf(shard)[0] ?? '';

/** Many ranges of few rows. */
export const SMALL_RANGES: Partial<MoveDeps> = { moveRange: { rows: 2, bytes: 100_000 } };

/** The dependencies of a driver. */
export function moveDeps(changes: Partial<MoveDeps> = {}): MoveDeps {
  return {
    databases: { directory: env.DIRECTORY, primary: (shard) => env[shard as ShardName] },
    moveRange: MOVE_RANGE,
    runtime: {
      now: Date.now,
      random: Math.random,
      sleep: () => Promise.resolve(),
      log: (level, line) => void Service.logs.push({ level, ...line }),
    },
    ...changes,
  };
}

/** A clock that is hours ahead, so that nothing waits. */
export const later = (hours: number) => () => Date.now() + hours * 3_600_000;

export async function beginMove(target: ShardName, bankId = LAGOS): Promise<Move> {
  const [begun] = await execute(env.DIRECTORY, insertMove(bankId, target, Date.now(), false));
  if (begun === undefined) throw new Error('The move was refused.');
  return latestMove(bankId);
}

export async function latestMove(bankId = LAGOS): Promise<Move> {
  const [move] = await execute(env.DIRECTORY, selectLatestMove(bankId));
  if (move === undefined) throw new Error('There is no move.');
  return move;
}

/** Moves a bank until it is open in the target and its old rows are removed. */
export async function moveBank(
  target: ShardName,
  bankId = LAGOS,
  deps: Partial<MoveDeps> = {},
): Promise<void> {
  await beginMove(target, bankId);
  await finishMove(deps);
}

/** Runs the driver until the moves that there are have ended. @returns the runs that it took */
export async function finishMove(deps: Partial<MoveDeps> = {}, maxRuns = 60): Promise<number> {
  for (let run = 1; run <= maxRuns; run += 1) {
    await advanceMoves(moveDeps({ ...deps, runtime: { ...moveDeps(deps).runtime, now: later(run) } }));
    const open = await env.DIRECTORY.prepare(
      "SELECT 1 FROM bank_moves WHERE phase NOT IN ('done', 'aborted')",
    ).first();
    if (open === null) return run;
  }
  throw new Error('The move does not end.');
}

/** Every table of a shard that has rows of banks. */
export async function tablesOfBanks(): Promise<string[]> {
  const { results } = await env.SHARD_1.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql GLOB '*bank_id TEXT*' ORDER BY name",
  ).all<{ name: string }>();
  return results.map(({ name }) => name);
}

export type Dump = Record<string, Record<string, unknown>[]>;

/** What a shard has of a bank, table by table. */
export async function dumpBank(shard: ShardName, bankId = LAGOS): Promise<Dump> {
  const tables = await tablesOfBanks();
  const results = await env[shard].batch<Record<string, unknown>>(
    tables.map((table) => env[shard].prepare(`SELECT * FROM ${table} WHERE bank_id = ?`).bind(bankId)),
  );
  return Object.fromEntries(tables.map((table, index) => [table, results[index]?.results ?? []]));
}

/** A dump without what a move changes: the tenant, the phrases of staged customers, and when chunks are due. */
export function movedRows({ batch_chunks: chunks = [], ...dump }: Dump) {
  const rows = Object.entries(dump).filter(
    ([table]) => !/^(tenants|payee_misses|retired_phrases)$/.test(table),
  );
  return {
    ...Object.fromEntries(rows),
    batch_chunks: chunks.map(({ payload, next_send_at: due, ...chunk }) => ({
      ...chunk,
      isDue: due !== null,
      payload:
        payload === null
          ? null
          : JSON.parse(payload as string).map((row: unknown[]) => row.toSpliced(2, 1, null)),
    })),
  };
}

/** Gives Lagos rows in every table: customers, an update, an erasure, refused rows, and an open and a stalled batch. */
export async function fillBank(service: Service): Promise<void> {
  const [first, second] = await service.createCustomers(sentCustomers(3));
  await service.updateCustomer(first?.id, { state: 'Lagos' });
  await service.eraseCustomer(second?.id ?? '');
  await service.postWithIdempotencyKey('first', [
    sentCustomer(10),
    sentCustomer(11, { country: 'Atlantis' }),
  ]);
  await service.deliverAll();
  await service.post([sentCustomer(20), sentCustomer(21)]);
  await service.deliverDeadLetters(service.pendingPointers.splice(0));
  await service.post([sentCustomer(30), sentCustomer(31)]);
  await env.SHARD_1.prepare("INSERT INTO payee_misses VALUES (?, '2026-11-26', 1)").bind(LAGOS).run();
}
