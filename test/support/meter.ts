/** Counts what a request costs: calls to D1, KV and the queue, and the rows that D1 says it read and wrote. */
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import type { Env } from '../../src/env.ts';

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
    const raw = new WeakMap<object, D1PreparedStatement>();
    const count = <Row>(result: D1Result<Row>) => {
      this.rowsRead += result.meta.rows_read;
      this.rowsWritten += result.meta.rows_written;
      return result;
    };
    const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
      const run = async () => {
        this.d1Calls += 1;
        return count(await statement.all());
      };
      const wrapped = {
        bind: (...values: unknown[]) => wrap(statement.bind(...values)),
        all: run,
        run,
        first: async () => (await run()).results[0] ?? null,
        // D1's raw() gives no meta, so it is made from all().
        raw: async () => (await run()).results.map((row) => Object.values(row)),
      } as unknown as D1PreparedStatement;
      raw.set(wrapped, statement);
      return wrapped;
    };
    return {
      prepare: (sql: string) => wrap(db.prepare(sql)),
      batch: async (statements: D1PreparedStatement[]) => {
        this.d1Calls += 1;
        const results = await db.batch(statements.map((statement) => raw.get(statement) ?? statement));
        return results.map(count);
      },
    } as unknown as D1Database;
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
