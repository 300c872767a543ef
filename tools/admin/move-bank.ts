/**
 * `npm run bank -- move`: begins, shows and aborts the move of a bank to another shard. The service's cron does the work,
 * so this command may be interrupted at any time.
 */
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { Progress } from '../../packages/cli/src/terminal/progress.ts';
import {
  estimateWaitSeconds,
  explainRefusal,
  type MoveFacts,
  type ShardFacts,
} from '../../src/databases/moves/begin.ts';
import type { Move } from '../../src/databases/moves/move.ts';
import { abortMove, insertMove, selectLatestMove } from '../../src/databases/moves/moves.store.ts';
import { targetOf, withTarget } from '../lib/arguments.ts';
import { isShardName, type ShardName } from '../lib/shards.ts';
import { textOf } from '../lib/sql.ts';
import { d1, d1Each, sqlText, type Target } from '../lib/wrangler.ts';
import { readShards, readUse, type Shard } from './shards.ts';

const POLL_INTERVAL_MS = 2_000;
/** The cron runs every minute, and a run takes up to 50 s. */
const MAX_SILENCE_MS = 150_000;

interface Options {
  to?: string;
  yes?: boolean;
  status?: boolean;
  abort?: boolean;
  allowJurisdictionChange?: boolean;
  remote?: boolean;
  persistTo?: string;
}

export function moveCommand(): Command {
  return withTarget(
    new Command('move')
      .description('move a bank to another shard, show how far its move is, or abort it')
      .argument('<bank>', 'bnk_…')
      .option('--to <shard>', 'where it moves to')
      .option('--yes', 'do not ask')
      .option('--allow-jurisdiction-change', 'its data may leave its jurisdiction, or enter another')
      .option('--status', 'show its last move')
      .option('--abort', 'abort its move; possible until the target has taken over'),
  ).action(run);
}

async function run(bankId: string, options: Options): Promise<void> {
  const target = targetOf(options);
  const wishes = [options.to !== undefined, options.status === true, options.abort === true];
  if (wishes.filter(Boolean).length !== 1) {
    throw new Error(
      'Say one thing: --to <shard>, --status or --abort. npm run bank -- move --help explains them.',
    );
  }
  if (options.status === true) return console.log(describe(await requireMove(target, bankId)));
  if (options.abort === true) return abort(target, bankId);
  await begin(target, bankId, options.to ?? '', options);
}

async function begin(target: Target, bankId: string, to: string, options: Options): Promise<void> {
  const facts = await readFacts(target, bankId, to, options.allowJurisdictionChange === true);
  const refusal = explainRefusal(facts);
  if (refusal !== null) throw new Error(`${refusal} Nothing was changed.`);
  const { customerCount, failureCount, source } = facts;
  const seconds = estimateWaitSeconds(customerCount + failureCount);
  console.log(`${bankId}, with ${count(customerCount)} customers, moves from ${source?.name} to ${to}.`);
  console.log(
    `Lookups go on. Changes are answered with 503 and Retry-After for about ${duration(seconds)} at most, and batches that are under way wait as long.`,
  );
  if (options.yes !== true && !(await confirm())) return console.log('Nothing was changed.');
  const statement = insertMove(bankId, to, Date.now(), facts.allowsJurisdictionChange);
  const [begun] = await d1(target, 'DIRECTORY', textOf([statement]));
  if (begun === undefined)
    throw new Error('Somebody else has changed the bank or the shard meanwhile: try again.');
  await follow(target, bankId);
}

/** Everything that the rules of a move are about. */
async function readFacts(
  target: Target,
  bankId: string,
  to: string,
  allowsJurisdictionChange: boolean,
): Promise<MoveFacts> {
  const [banks = []] = await d1Each<{ shard: ShardName }>(
    target,
    'DIRECTORY',
    `SELECT shard FROM banks WHERE id = ${sqlText(bankId)}`,
  );
  const latest = await latestMove(target, bankId);
  const shards = await readShards(target);
  const source = await readShardFacts(target, shards, banks[0]?.shard);
  const [tenant] =
    source === undefined || !isShardName(source.name)
      ? []
      : await d1<{ state: string; customers: number; failures: number }>(
          target,
          source.name,
          `SELECT state, customer_count AS customers, failure_count AS failures FROM tenants WHERE bank_id = ${sqlText(bankId)}`,
        );
  return {
    bankId,
    targetName: to,
    source,
    target: await readShardFacts(target, shards, to),
    state: tenant?.state,
    customerCount: tenant?.customers ?? 0,
    failureCount: tenant?.failures ?? 0,
    unfinished: latest !== undefined && !isOver(latest) ? latest : undefined,
    allowsJurisdictionChange,
  };
}

async function readShardFacts(
  target: Target,
  shards: Shard[],
  name: string | undefined,
): Promise<ShardFacts | undefined> {
  const shard = shards.find((one) => one.name === name);
  if (shard === undefined) return undefined;
  const { bytes } = await readUse(target, shard.name);
  const migrations = await d1<{ name: string }>(
    target,
    shard.name,
    'SELECT name FROM d1_migrations ORDER BY id',
  );
  return {
    name: shard.name,
    jurisdiction: shard.jurisdiction,
    isClosed: shard.closed === 1,
    migrations: migrations.map((migration) => migration.name),
    bytes,
  };
}

async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('Nobody can be asked here: add --yes. Nothing was changed.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question('Move it now? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}

/** Shows the progress until the bank is open again. */
async function follow(target: Target, bankId: string): Promise<void> {
  const goesOn = () => {
    console.log(
      `\nThe move goes on without this command: npm run bank -- move ${bankId} --status shows how far it is.`,
    );
    process.exit(0);
  };
  process.once('SIGINT', goesOn);
  const progress = new Progress(process.stderr, 0);
  let isSilent = false;
  for (;;) {
    const move = await patiently(() => requireMove(target, bankId));
    const rows = (move.copiedRows + move.verifiedRows) / 2;
    progress.show({ done: rows, failed: 0, share: move.totalRows === 0 ? 0 : rows / move.totalRows });
    if (move.openedAt !== null || isOver(move)) {
      progress.end();
      process.off('SIGINT', goesOn);
      if (move.error !== null) throw new Error(describe(move));
      console.log(describe(move));
      await patiently(() => printWaitingBatches(target, move));
      return;
    }
    if (!isSilent && Date.now() - move.updatedAt > MAX_SILENCE_MS) {
      isSilent = true;
      console.error('Nothing has happened for two minutes: is the service running, with its cron?');
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

const MAX_TRIES = 5;

/** Reads again after a failure: a move outlasts those of the network. */
async function patiently<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
  }
}

/** Batches that were accepted before the move and completed after it. */
async function printWaitingBatches(target: Target, move: Move): Promise<void> {
  const [waited] = await d1<{ batches: number }>(
    target,
    move.target,
    `SELECT count(*) AS batches FROM batches WHERE bank_id = ${sqlText(move.bankId)}
       AND created_at < ${move.frozenAt} AND (completed_at IS NULL OR completed_at >= ${move.frozenAt})`,
  );
  if (waited !== undefined && waited.batches > 0) {
    const batches = waited.batches === 1 ? '1 batch that was' : `${count(waited.batches)} batches that were`;
    console.log(`${batches} under way waited for ${waitOf(move)} as well, and went on.`);
  }
}

async function abort(target: Target, bankId: string): Promise<void> {
  const move = await requireMove(target, bankId);
  const { bank, aborted } = abortMove(move, 'the operator aborted it', Date.now());
  const [found] = await d1(target, 'DIRECTORY', textOf([bank, aborted]));
  if (found === undefined)
    throw new Error(`It can't be aborted any more. ${describe(await requireMove(target, bankId))}`);
  console.log(
    `Move ${move.number} of ${bankId} is aborted: the cron opens the bank in ${move.source} within a minute, and empties ${move.target}.`,
  );
}

async function latestMove(target: Target, bankId: string): Promise<Move | undefined> {
  const [move] = await d1<Move>(target, 'DIRECTORY', textOf([selectLatestMove(bankId)]));
  return move;
}

async function requireMove(target: Target, bankId: string): Promise<Move> {
  const move = await latestMove(target, bankId);
  if (move === undefined)
    throw new Error(`${bankId} was never moved, or there is no such bank: npm run bank -- list shows all.`);
  return move;
}

const isOver = ({ phase }: Move): boolean => phase === 'done' || phase === 'aborted';

/** One sentence for each phase. */
function describe(move: Move): string {
  const { number, bankId, source, target, totalRows, copiedRows, verifiedRows } = move;
  const way = `Move ${number} of ${bankId} from ${source} to ${target}`;
  switch (move.phase) {
    case 'copying':
      return move.frozenAt === null
        ? `${way} has not begun: it waits for the cron, or for another move of one of the shards.`
        : `${way} is copying: ${count(copiedRows)} of ${count(totalRows)} rows, and changes wait.`;
    case 'verifying':
      return `${way} is comparing: ${count(verifiedRows)} of ${count(totalRows)} rows, and changes wait.`;
    case 'switching':
    case 'switched':
      return `${way} is switching over.`;
    case 'cleaning':
      return `${bankId} is in ${target}. Changes waited for ${waitOf(move)}. Its old rows are removed from ${source} five minutes after that.`;
    case 'done':
      return `${bankId} is in ${target}. Changes waited for ${waitOf(move)}. Its old rows are removed from ${source}.`;
    case 'aborting':
      return `${way} was aborted (${move.error}): ${move.openedAt === null ? 'the bank is being opened again' : 'the bank goes on'} in ${source}, and ${target} is being emptied.`;
    case 'aborted':
      return `${way} was aborted (${move.error}): the bank goes on in ${source}.`;
  }
}

const waitOf = ({ frozenAt, openedAt }: Move): string =>
  frozenAt === null || openedAt === null ? 'no time' : duration((openedAt - frozenAt) / 1_000);

const count = (value: number) => value.toLocaleString('en');

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 120 ? `${whole} s` : `${Math.ceil(whole / 60)} minutes`;
}
