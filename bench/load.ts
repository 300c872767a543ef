/** The load generator: a number of connections, each of which sends the next request after the response to the last. */
import { Pool } from 'undici';
import { median } from './median.ts';

export interface LoadRequest {
  path: string;
  headers?: Record<string, string>;
}

export interface Measured {
  /** Requests per second. */
  rate: number;
  /** Median latency in milliseconds. */
  p50: number;
  /** Milliseconds of workerd's CPU time per request; null if the system does not report it. */
  cpu: number | null;
}

/** Not measured: a server is slower at first, after others have used the machine. */
const WARM_UP_MS = 200;

/**
 * @param next returns the nth request
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

/** @returns the latency of each request, in milliseconds */
async function play(
  pool: Pool,
  next: (n: number) => LoadRequest,
  milliseconds: number,
  connections: number,
): Promise<number[]> {
  const latencies: number[] = [];
  let count = 0;
  const endsAt = performance.now() + milliseconds;
  const work = async () => {
    while (performance.now() < endsAt) {
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
