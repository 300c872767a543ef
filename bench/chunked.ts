/** Our Worker with another number of customers per chunk, for `npm run bench:chunks`. */
import { env } from 'cloudflare:workers';
import { systemRuntime } from '../src/runtime.ts';
import { createWorker } from '../src/worker.ts';

const { CHUNK_ROWS } = env as unknown as { CHUNK_ROWS: number };

export default createWorker(systemRuntime, { chunkRows: CHUNK_ROWS });
