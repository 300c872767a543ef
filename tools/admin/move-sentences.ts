/** What the operator is told about a move: one sentence for each phase. */
import type { Move } from '../../src/databases/moves/move.ts';

export const isOver = ({ phase }: Move): boolean => phase === 'done' || phase === 'aborted';

export function describeMove(move: Move): string {
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
      return `${way} was aborted (${move.error}): ${move.frozenAt !== null && move.openedAt === null ? 'the bank is being opened again' : 'the bank goes on'} in ${source}, and ${target} is being emptied.`;
    case 'aborted':
      return `${way} was aborted (${move.error}): the bank goes on in ${source}.`;
  }
}

export const waitOf = ({ frozenAt, openedAt }: Move): string =>
  frozenAt === null || openedAt === null ? 'no time' : duration((openedAt - frozenAt) / 1_000);

export const count = (value: number) => value.toLocaleString('en');

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 120 ? `${whole} s` : `${Math.ceil(whole / 60)} minutes`;
}
