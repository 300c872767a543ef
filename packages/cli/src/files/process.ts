/** Identifies a process, so that another process with the same id later is not taken for it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { errnoOf } from './disk.ts';

export interface Process {
  pid: number;
  /** When it was started, in the system's own format, for comparison only. Undefined if the system does not tell. */
  started?: string | undefined;
}

/** State of a process that has ended but whose id is still taken. */
const ZOMBIE = 'Z';

/** @returns undefined if there is no such process, or the system does not tell, as on Windows */
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

/** See proc_pid_stat(5): field 2, the name, is in brackets and may contain anything; 3 is the state, 22 the start. */
function readProc(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [fields[0], fields[22 - 3]];
  // Ticks are counted from the start of the system, which has an id of its own.
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return state === ZOMBIE ? 'ended' : `${boot} ${ticks}`;
}

/** Compares process ids alone if a start time is unknown: it may then be another process with the same id. */
export function isRunning({ pid, started }: Process): boolean {
  const now = startOf(pid);
  if (now !== undefined && started !== undefined) return now === started;
  // If it is our own id, the other process was killed, as in a container that was restarted.
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
