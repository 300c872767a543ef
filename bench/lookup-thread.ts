/**
 * A thread that sends lookups from one message to the next, so that whatever else the bench does in its own thread does
 * not slow them. `{ url, load }` starts a load, null ends it and is answered with a `LookupLatency`.
 */
import { parentPort } from 'node:worker_threads';
import { Pool } from 'undici';
import { REQUESTS } from './data.ts';
import { play, summarize } from './load.ts';

/** As many as a payment application of one bank keeps open. */
const CONNECTIONS = 4;

export interface LookupStart {
  url: string;
  load: 'id' | 'phrase';
}

interface Running {
  /** Ends the load and returns how fast the lookups were. */
  stop: () => Promise<ReturnType<typeof summarize>>;
}

function startLoad({ url, load }: LookupStart): Running {
  const pool = new Pool(new URL(url).origin, { connections: CONNECTIONS, pipelining: 1 });
  let isRunning = true;
  const startedAt = performance.now();
  const played = play(pool, REQUESTS[load], CONNECTIONS, () => isRunning);
  return {
    stop: async () => {
      isRunning = false;
      const latencies = await played;
      const elapsedMs = performance.now() - startedAt;
      await pool.close();
      return summarize(latencies, elapsedMs);
    },
  };
}

let running: Running | undefined;

parentPort?.on('message', (start: LookupStart | null) => {
  if (start !== null) running = startLoad(start);
  else void running?.stop().then((speed) => parentPort?.postMessage(speed));
});
