/** The front door: one Worker, three doors. */
import { createApp } from './app.ts';
import { consumeBatches, consumeDeadLetters } from './batches/batches.consumer.ts';
import type { ChunkPointer } from './batches/batches.queue.ts';
import { sweep } from './batches/batches.sweep.ts';
import { createDeps, createIsolateMemory } from './deps.ts';
import { DEAD_LETTER_QUEUE, type Env } from './env.ts';
import { systemRuntime, type Runtime } from './runtime.ts';

export function createWorker(runtime: Runtime) {
  const memory = createIsolateMemory();
  const app = createApp(runtime, memory);
  return {
    fetch: (request, env, context) => app.fetch(request, env, context),
    queue: (batch, env, context) => {
      const consume = batch.queue === DEAD_LETTER_QUEUE ? consumeDeadLetters : consumeBatches;
      return consume(createDeps(env, context, runtime, memory), batch.messages);
    },
    scheduled: (_controller, env, context) => sweep(createDeps(env, context, runtime, memory)),
  } satisfies ExportedHandler<Env, ChunkPointer>;
}

export default createWorker(systemRuntime);
