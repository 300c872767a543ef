/** The net under the webhook queue: finds endpoints that are due whatever the queue lost. Part of the cron's work. */
import type { ShardJob } from '../databases/shard-job.ts';
import { execute } from '../db/statements.ts';
import { selectNextEndpoints } from '../events/due-endpoints.store.ts';
import type { WebhookQueue } from '../events/webhook-queue.ts';
import type { Runtime } from '../runtime.ts';

/** Endpoints of one step: 3,000 rows read, a few milliseconds of D1. */
const STEP_ENDPOINTS = 1_000;
/** Steps of one run, on all shards: 100,000 endpoints, 100 of the 1,000 queries that D1 allows an invocation. */
const MAX_STEPS = 100;

export interface WakeDueDeps {
  webhookQueue: WebhookQueue;
  runtime: Pick<Runtime, 'now'>;
}

export async function wakeDueEndpoints(
  { webhookQueue, runtime }: WakeDueDeps,
  { shard, db, share }: ShardJob,
): Promise<void> {
  let last = { bankId: '', endpointId: '' };
  for (let step = 0; step < share(MAX_STEPS); step += 1) {
    const checked = await execute(db, selectNextEndpoints(last, runtime.now(), STEP_ENDPOINTS));
    const due = checked.filter((endpoint) => endpoint.due === 1);
    await webhookQueue.send(
      due.map(({ bankId, endpointId, moveNumber }) => ({ bankId, endpointId, shard, moveNumber })),
    );
    const end = checked[STEP_ENDPOINTS - 1];
    if (end === undefined) return;
    last = end;
  }
}
