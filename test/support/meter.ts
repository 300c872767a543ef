/** Counts what a request costs: calls to D1, the phrase cache and the queue, and the rows that D1 reports as read and written. */
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import type { ValueStore } from '../../src/customers/data-centre-cache.ts';
import { interceptCalls, onEveryDatabase } from './faulty-bindings.ts';
import type { TestBindings } from './service.ts';

export class Meter {
  d1Calls = 0;
  rowsRead = 0;
  rowsWritten = 0;
  cacheReads = 0;
  cacheWrites = 0;
  queueSends = 0;

  reset(): void {
    Object.assign(this, new Meter());
  }

  get calls() {
    const { d1Calls, cacheReads, cacheWrites, queueSends } = this;
    return { d1Calls, cacheReads, cacheWrites, queueSends };
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

  cache(store: ValueStore): ValueStore {
    return {
      get: (key) => {
        this.cacheReads += 1;
        return store.get(key);
      },
      put: (...args) => {
        this.cacheWrites += 1;
        return store.put(...args);
      },
      delete: (key) => {
        this.cacheWrites += 1;
        return store.delete(key);
      },
    };
  }

  queue(queue: Queue<ChunkPointer>): Queue<ChunkPointer> {
    return {
      sendBatch: (...args: Parameters<Queue<ChunkPointer>['sendBatch']>) => {
        this.queueSends += 1;
        return queue.sendBatch(...args);
      },
    } as unknown as Queue<ChunkPointer>;
  }

  bindings(env: TestBindings): TestBindings {
    return {
      ...env,
      ...onEveryDatabase(env, (db) => this.database(db)),
      PHRASE_CACHE: this.cache(env.PHRASE_CACHE),
      BATCH_QUEUE: this.queue(env.BATCH_QUEUE),
    };
  }
}
