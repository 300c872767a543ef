/** A process, told from another that is given its number later. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { errnoOf } from './disk.ts';

export interface Process {
  pid: number;
  /** When it was started, as the system tells it: text to compare. Undefined where it does not. */
  started?: string | undefined;
}

/** Ended, though its number is not free yet. */
const ZOMBIE = 'Z';

/** @returns undefined where there is no such process, or the system does not tell, as Windows */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return readProc(pid);
    if (process.platform === 'win32') return undefined;
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    return execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8', env }).trim();
  } catch {
    return undefined;
  }
}

/** By proc_pid_stat(5): the name, field 2, is in brackets and may hold anything; 3 is the state, 22 the start. */
function readProc(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [fields[0], fields[22 - 3]];
  // Ticks since the system was started: that has an id of its own.
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return state === ZOMBIE ? 'ended' : `${boot} ${ticks}`;
}

/** Where its start is not known it is by its number alone: it may be another that was given it. */
export function isRunning({ pid, started }: Process): boolean {
  const now = startOf(pid);
  if (now !== undefined && started !== undefined) return now === started;
  // This very number: the other was killed, as in a container that was started again.
  return pid !== process.pid && isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}
