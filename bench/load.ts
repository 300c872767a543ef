/** The load generator: a number of connections, each of which sends the next request after the response to the last. */
import { Pool } from 'undici';
import { percentile } from './statistics.ts';

export interface LoadRequest {
  path: string;
  headers?: Record<string, string>;
}

export interface Measured {
  /** Requests per second. */
  rate: number;
  /** Latencies in milliseconds: the median, and what 99 % do not exceed. */
  p50: number;
  p99: number;
  /** Milliseconds of workerd's CPU time per request; null if the system does not report it. */
  cpu: number | null;
}

/** Not measured: a server is slower at first, after others have used the machine. */
const WARM_UP_MS = 200;

/**
 * @param next returns the nth request
 * @param milliseconds how long the load lasts
 * @param cpu returns the CPU time that the server has used so far, in milliseconds
 * @throws for any response but a 200
 */
export async function measure(
  url: URL,
  next: (n: number) => LoadRequest,
  milliseconds: number,
  connections: number,
  cpu: () => Promise<number | null>,
): Promise<Measured> {
  const pool = new Pool(url.origin, { connections, pipelining: 1 });
  await play(pool, next, connections, during(WARM_UP_MS));
  const cpuBefore = await cpu();
  const startedAt = performance.now();
  const latencies = await play(pool, next, connections, during(milliseconds));
  const elapsedMs = performance.now() - startedAt;
  const cpuAfter = await cpu();
  await pool.close();
  return {
    ...summarize(latencies, elapsedMs),
    cpu: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / latencies.length,
  };
}

function during(milliseconds: number): () => boolean {
  const endsAt = performance.now() + milliseconds;
  return () => performance.now() < endsAt;
}

/** @param latencies of every request that was sent within `elapsedMs` */
export function summarize(latencies: number[], elapsedMs: number): Pick<Measured, 'rate' | 'p50' | 'p99'> {
  return {
    rate: (latencies.length / elapsedMs) * 1_000,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

/**
 * Sends requests over each connection as long as `isRunning`.
 * @returns the latency of each request, in milliseconds
 */
export async function play(
  pool: Pool,
  next: (n: number) => LoadRequest,
  connections: number,
  isRunning: () => boolean,
): Promise<number[]> {
  const latencies: number[] = [];
  let count = 0;
  const work = async () => {
    while (isRunning()) {
      const request = next(count);
      count += 1;
      const sentAt = performance.now();
      const { statusCode, body } = await pool.request({ method: 'GET', ...request });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`${request.path} returned ${statusCode}: ${text}`);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return latencies;
}
