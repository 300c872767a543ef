/** One load generator for every Worker: so many connections, each with the next request when the last is answered. */
import { Pool } from 'undici';
import { median } from './median.ts';

export interface Asked {
  path: string;
  headers?: Record<string, string>;
}

export interface Measured {
  /** A second. */
  rate: number;
  /** Milliseconds. */
  p50: number;
  /** Milliseconds of workerd's CPU for a request; null where the system does not tell. */
  cpu: number | null;
}

/** A server that others had the machine before is slower for its first moments: they are played, and not counted. */
const WARM_UP_MS = 200;

/**
 * @param next what to ask, the nth time
 * @param cpu how much CPU the server has used so far, in milliseconds
 * @throws for any answer but a 200
 */
export async function measure(
  url: URL,
  next: (n: number) => Asked,
  milliseconds: number,
  connections: number,
  cpu: () => Promise<number | null>,
): Promise<Measured> {
  const pool = new Pool(url.origin, { connections, pipelining: 1 });
  await play(pool, next, WARM_UP_MS, connections);
  const cpuBefore = await cpu();
  const startedAt = performance.now();
  const latencies = await play(pool, next, milliseconds, connections);
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuAfter = await cpu();
  await pool.close();
  return {
    rate: latencies.length / seconds,
    p50: median(latencies),
    cpu: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / latencies.length,
  };
}

/** @returns how long each answer took, in milliseconds */
async function play(
  pool: Pool,
  next: (n: number) => Asked,
  milliseconds: number,
  connections: number,
): Promise<number[]> {
  const latencies: number[] = [];
  let count = 0;
  const endsAt = performance.now() + milliseconds;
  const work = async () => {
    while (performance.now() < endsAt) {
      const asked = next(count);
      count += 1;
      const sentAt = performance.now();
      const { statusCode, body } = await pool.request({ method: 'GET', ...asked });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`${asked.path} was answered with ${statusCode}: ${text}`);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return latencies;
}
