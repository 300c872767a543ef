/** How much memory a program takes, as Linux tells it. */
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 100;

/**
 * Watches a process until it is asked.
 * @returns the most memory that it had in use (VmHWM), in MB; null where the system does not tell
 */
export function watchMemory(pid: number | undefined): () => number | null {
  let most: number | null = null;
  const watch = setInterval(() => {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(statusOf(pid))?.[1];
    if (kilobytes !== undefined) most = Number(kilobytes) / 1_024;
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(watch);
    return most;
  };
}

/** @returns the memory that a process has in use now (VmRSS), in MB; null where the system does not tell */
export function residentMemory(pid: number | undefined): number | null {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(statusOf(pid))?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
}

function statusOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
