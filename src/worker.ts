/** The Worker: HTTP requests, queue messages and the cron. */
import { createApp, type CreateDeps } from './app.ts';
import { consumeBatches, consumeDeadLetters } from './batches/process/consumer.ts';
import { runCron } from './cron.ts';
import { advanceMoves } from './databases/moves/driver.ts';
import { createDeps, createIsolateMemory, type WorkerSettings } from './deps.ts';
import { DEAD_LETTER_QUEUE, MOVES_CRON, WEBHOOK_QUEUE, type Env } from './env.ts';
import { systemRuntime, type Runtime } from './runtime.ts';
import { deliverWebhooks } from './webhooks/consumer.ts';

/** One isolate, with a memory of its own. */
export function createWorker(runtime: Runtime, settings?: Partial<WorkerSettings>) {
  const memory = createIsolateMemory();
  const depsOf: CreateDeps = (env, context, bookmark) =>
    createDeps(env, context, runtime, memory, bookmark, settings);
  const app = createApp(depsOf);
  return {
    fetch: (request, env, context) => app.fetch(request, env, context),
    queue: (batch, env, context) => {
      const deps = depsOf(env, context);
      if (batch.queue === WEBHOOK_QUEUE) return deliverWebhooks(deps, batch.messages);
      const consume = batch.queue === DEAD_LETTER_QUEUE ? consumeDeadLetters : consumeBatches;
      return consume(deps, batch.messages);
    },
    scheduled: ({ cron }, env, context) =>
      (cron === MOVES_CRON ? advanceMoves : runCron)(depsOf(env, context)),
  } satisfies ExportedHandler<Env>;
}

export default createWorker(systemRuntime);
