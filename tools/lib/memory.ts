/** Measures the memory of a process, on Linux. */
import { readFileSync } from 'node:fs';

const POLL_INTERVAL_MS = 100;

/**
 * Watches a process until the returned function is called.
 * @returns a function that returns its peak memory (VmHWM) in MB; null if the system does not report it
 */
export function watchMemory(pid: number | undefined): () => number | null {
  let peak: number | null = null;
  const watch = setInterval(() => {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(statusOf(pid))?.[1];
    if (kilobytes !== undefined) peak = Number(kilobytes) / 1_024;
  }, POLL_INTERVAL_MS);
  return () => {
    clearInterval(watch);
    return peak;
  };
}

/** @returns the current memory of a process (VmRSS) in MB; null if the system does not report it */
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
