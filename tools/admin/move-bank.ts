/**
 * `npm run bank -- move`: begins, shows and aborts the move of a bank to another shard. The service's cron does the work,
 * so this command may be interrupted at any time.
 */
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { Progress } from '../../packages/cli/src/terminal/progress.ts';
import { estimateWaitSeconds, explainRefusal } from '../../src/databases/moves/begin.ts';
import type { Move } from '../../src/databases/moves/move.ts';
import { abortMove, insertMove } from '../../src/databases/moves/moves.store.ts';
import { targetOf, typedOptions, withTarget } from '../lib/arguments.ts';
import { textOf } from '../lib/sql.ts';
import { d1, sqlText, type Target } from '../lib/wrangler.ts';
import { latestMove, readMoveFacts } from './move-facts.ts';
import { count, describeMove, duration, isOver, waitOf } from './move-sentences.ts';

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
  if (options.status === true) return console.log(describeMove(await requireMove(target, bankId)));
  if (options.abort === true) return abort(target, bankId);
  await begin(target, bankId, options.to ?? '', options);
}

async function begin(target: Target, bankId: string, to: string, options: Options): Promise<void> {
  const facts = await readMoveFacts(target, bankId, to, options.allowJurisdictionChange === true);
  const refusal = explainRefusal(facts);
  if (refusal !== null) throw new Error(`${refusal} Nothing was changed.`);
  const { customerCount, rowCount, source } = facts;
  const customers = customerCount === 1 ? '1 customer' : `${count(customerCount)} customers`;
  console.log(`${bankId}, with ${customers}, moves from ${source?.name} to ${to}.`);
  console.log(
    `Lookups go on. Changes are answered with 503 and Retry-After, by estimate for at most ${duration(estimateWaitSeconds(rowCount))}, and batches that are under way wait as long.`,
  );
  if (options.yes !== true && !(await confirm())) return console.log('Nothing was changed.');
  const statement = insertMove(bankId, to, Date.now(), facts.allowsJurisdictionChange);
  const [begun] = await d1(target, 'DIRECTORY', textOf([statement]));
  if (begun === undefined)
    throw new Error('Somebody else has changed the bank or the shard meanwhile: try again.');
  await follow(target, bankId);
}

/** Ctrl-C and Ctrl-D are a no; the exit code after Ctrl-C is 130. */
async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('Nobody can be asked here: add --yes. Nothing was changed.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const interrupted = new AbortController();
  terminal.once('SIGINT', () => {
    process.exitCode = 130;
    interrupted.abort();
  });
  terminal.once('close', () => interrupted.abort());
  try {
    const answer = await terminal.question('Move it now? [y/N] ', { signal: interrupted.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    console.log();
    return false;
  } finally {
    terminal.close();
  }
}

/** Shows the progress until the bank is open again. */
async function follow(target: Target, bankId: string): Promise<void> {
  const goesOn = () => {
    console.log(
      `\nThe move goes on without this command: npm run bank -- move ${bankId} --status${typedOptions(target)} shows how far it is.`,
    );
    process.exit(130);
  };
  process.once('SIGINT', goesOn);
  console.log(
    'It begins with the next run of the cron, within a minute, or after other moves of these shards.',
  );
  let progress: Progress | undefined;
  let isSilent = false;
  for (;;) {
    const move = await patiently(() => requireMove(target, bankId));
    const rows = (move.copiedRows + move.verifiedRows) / 2;
    if (move.frozenAt !== null) progress ??= new Progress(process.stderr, 0);
    progress?.show({ done: rows, failed: 0, share: move.totalRows === 0 ? 0 : rows / move.totalRows });
    if (move.openedAt !== null || isOver(move)) {
      progress?.end();
      process.off('SIGINT', goesOn);
      if (move.error !== null) throw new Error(describeMove(move));
      console.log(describeMove(move));
      await patiently(() => printWaitingBatches(target, move));
      return;
    }
    if (!isSilent && Date.now() - move.updatedAt > MAX_SILENCE_MS) {
      isSilent = true;
      console.error(
        'Nothing has happened for two minutes: is the service running, with its cron, or another move of these shards under way?',
      );
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
  if (found === undefined) {
    const now = await requireMove(target, bankId);
    const isAborted = now.phase === 'aborting' || now.phase === 'aborted';
    throw new Error(`${isAborted ? '' : "It can't be aborted any more. "}${describeMove(now)}`);
  }
  console.log(
    `Move ${move.number} of ${bankId} is aborted: the cron opens the bank in ${move.source} within a minute, and empties ${move.target}.`,
  );
}

async function requireMove(target: Target, bankId: string): Promise<Move> {
  const move = await latestMove(target, bankId);
  if (move === undefined)
    throw new Error(
      `${bankId} was never moved, or there is no such bank: npm run bank -- list${typedOptions(target)} shows all.`,
    );
  return move;
}
