/** Counts what a request costs: calls to D1, KV and the queue, and the rows that D1 reports as read and written. */
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import type { Env } from '../../src/env.ts';
import { interceptCalls } from './faulty-bindings.ts';

export class Meter {
  d1Calls = 0;
  rowsRead = 0;
  rowsWritten = 0;
  kvReads = 0;
  kvWrites = 0;
  queueSends = 0;

  reset(): void {
    Object.assign(this, new Meter());
  }

  get calls() {
    const { d1Calls, kvReads, kvWrites, queueSends } = this;
    return { d1Calls, kvReads, kvWrites, queueSends };
  }

  database(db: D1Database): D1Database {
    const addRows = ({ meta }: D1Result) => {
      this.rowsRead += meta.rows_read;
      this.rowsWritten += meta.rows_written;
    };
    return interceptCalls(db, async (work) => {
      this.d1Calls += 1;
      const result = await work();
      for (const part of Array.isArray(result) ? result : [result]) addRows(part);
      return result;
    }) as D1Database;
  }

  cache(kv: KVNamespace): KVNamespace {
    return {
      get: (...args: [string, 'json']) => {
        this.kvReads += 1;
        return kv.get(...args);
      },
      put: (...args: Parameters<KVNamespace['put']>) => {
        this.kvWrites += 1;
        return kv.put(...args);
      },
      delete: (key: string) => {
        this.kvWrites += 1;
        return kv.delete(key);
      },
    } as unknown as KVNamespace;
  }

  queue(queue: Queue<ChunkPointer>): Queue<ChunkPointer> {
    return {
      sendBatch: (...args: Parameters<Queue<ChunkPointer>['sendBatch']>) => {
        this.queueSends += 1;
        return queue.sendBatch(...args);
      },
    } as unknown as Queue<ChunkPointer>;
  }

  bindings(env: Env): Env {
    return {
      ...env,
      DB: this.database(env.DB),
      PHRASE_CACHE: this.cache(env.PHRASE_CACHE),
      BATCH_QUEUE: this.queue(env.BATCH_QUEUE),
    };
  }
}
