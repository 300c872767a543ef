/** Our Worker with another number of customers per chunk, for `npm run bench:chunks`. */
import { env } from 'cloudflare:workers';
import { systemRuntime } from '../src/runtime.ts';
import { createWorker } from '../src/worker.ts';

export default createWorker(systemRuntime, { chunkRows: Number(Reflect.get(env, 'CHUNK_ROWS')) });
