/** How much memory a program takes, as Linux tells it. */
import { readdirSync, readFileSync } from 'node:fs';

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

/**
 * `wrangler dev` runs two workerds: one listens and hands on, the other one runs the Worker.
 * @returns the process that runs the Worker of the server that listens on a port; undefined where the system does not tell
 */
export function workerdOf(port: string): number | undefined {
  const workerds = processes().filter(({ command }) => command.includes('workerd serve'));
  const listening = workerds.find(({ command }) => command.includes(`entry=localhost:${port} `));
  return workerds.find(({ pid, parent }) => parent === listening?.parent && pid !== listening?.pid)?.pid;
}

function processes() {
  let names: string[] = [];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    // Not Linux.
  }
  return names.map((name) => ({
    pid: Number(name),
    parent: /PPid:\s+(\d+)/.exec(statusOf(Number(name)))?.[1],
    command: readProcess(name, 'cmdline').replaceAll('\0', ' '),
  }));
}

const statusOf = (pid: number | undefined) => readProcess(String(pid), 'status');

function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
