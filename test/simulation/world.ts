/** The world of a seed: isolates, clients, the queue and the clock. It proceeds step by step. */
import type { FailureLimits } from '../../src/batches/failures.store.ts';
import type { ValueStore } from '../../src/customers/data-centre-cache.ts';
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import { DEAD_LETTER_QUEUE, MOVES_CRON, WEBHOOK_QUEUE, type Env } from '../../src/env.ts';
import type { EndpointPointer } from '../../src/events/webhook-queue.ts';
import type { Runtime } from '../../src/runtime.ts';
import { createWorker } from '../../src/worker.ts';
import { unlimitedRatePolicies } from '../support/service.ts';
import { scheduledBindings, scheduledCache } from './bindings.ts';
import { Random } from './random.ts';
import { corruptStagedRow } from './corruption.ts';
import { makeClients, makeLaterIntent, type Client } from './clients.ts';
import { LateWrites } from './late-writes.ts';
import { OUTCOMES, OUTAGE_OUTCOMES } from './outcomes.ts';
import { QueueModel, type QueuedMessage } from './queue-model.ts';
import { Receivers } from './receivers.ts';
import { Requests } from './requests.ts';
import { MoveSteps } from './move-steps.ts';
import { Moves } from './moves.ts';
import { Scheduler, type Boundary, type CallOutcome, type Task } from './scheduler.ts';
import { TenantWatch } from './tenant-watch.ts';

/** How many calls an outage lasts. */
const OUTAGE_CALL_COUNT = 40;

const ISOLATES = 3;
/** Data centres, each with a cache of its own. The isolates are spread over them. */
const DATA_CENTRES = 2;
/** Small chunks, so that a batch of eight rows has three. */
const CHUNK_ROWS = 3;
/** Rows of a range of a move: in some seeds so few that there are several of one table. */
const MOVE_RANGE_ROWS = [3, 10, 30];
/** The limits of failures: in most seeds more than there are. */
const limitsOf = (seed: number): FailureLimits => ({
  stored: seed % 3 === 0 ? 4 : 1_000,
  perDay: seed % 4 === 0 ? 2 : 1_000,
});
/** Steps of moves that are repeated at the end of a seed: a move has some thirty. */
const MAX_REPEATED_STEPS = 40;
/** How many requests, consumers and sweeps may run at once. */
const MAX_TASKS = 6;

export class World {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly queue = new QueueModel<ChunkPointer>();
  readonly webhookQueue = new QueueModel<EndpointPointer>();
  readonly receivers: Receivers;
  readonly limits: FailureLimits;
  readonly requests: Requests;
  readonly clients: Client[];
  readonly faults = new Map<string, number>();
  readonly log: string[] = [];
  faulty = true;
  /** Every call across this boundary fails. */
  broken: Boundary | undefined;
  /** The next change in D1 takes effect, and its answer is lost. */
  losesAnswer = false;
  /** The isolates that requests reach; undefined: any. */
  reachable: readonly number[] | undefined;
  /** Rows that were changed to break a constraint. No more than these may be rejected. */
  corruptedRows = 0;
  #outageCallsLeft = 0;
  readonly moves: Moves;
  readonly steps = new MoveSteps();
  readonly tenants: TenantWatch;
  readonly lateWrites: LateWrites;
  readonly #real: Cloudflare.Env;
  readonly #env: Env;
  readonly #isolates: ReturnType<typeof createWorker>[];

  constructor(seed: number, real: Cloudflare.Env) {
    this.random = new Random(seed);
    this.scheduler = new Scheduler(this.random);
    this.clients = makeClients(this.random);
    this.#real = real;
    this.limits = limitsOf(seed);
    this.receivers = new Receivers(this.scheduler);
    this.tenants = new TenantWatch(real, () => this.requests.failedChanges);
    this.lateWrites = new LateWrites(this.tenants.openedBy);
    const { limits, scheduler, queue, webhookQueue, random, steps, tenants, lateWrites } = this;
    const observers = { steps, tenants, lateWrites, count: (fault: string) => this.#count(fault) };
    this.#env = scheduledBindings(real, limits, scheduler, queue, webhookQueue, random, observers);
    this.moves = new Moves(seed, real, random);
    const runtime: Runtime = {
      now: () => this.scheduler.now,
      random: () => this.random.next(),
      sleep: (ms) => this.scheduler.park('timer', () => Promise.resolve(), this.scheduler.now + ms),
      timer: (ms, callback) => this.scheduler.timer(this.scheduler.now + ms, callback),
      fetch: this.receivers.fetch,
      log: (_, line) => void this.log.push(JSON.stringify(line)),
    };
    const caches = Array.from({ length: DATA_CENTRES }, () => scheduledCache(this.scheduler));
    const moveRange = { rows: this.random.pick(MOVE_RANGE_ROWS), bytes: 100_000 };
    this.#isolates = Array.from({ length: ISOLATES }, (_, isolate) =>
      createWorker(runtime, {
        chunkRows: CHUNK_ROWS,
        moveRange,
        ratePolicies: unlimitedRatePolicies,
        phraseStore: caches[isolate % DATA_CENTRES] as ValueStore,
      }),
    );
    this.requests = new Requests(
      (bank) => this.moves.databaseOf(bank),
      this.random,
      (request, context) => this.#pickIsolate().fetch(request as Request<unknown, never>, this.#env, context),
    );
  }

  #pickIsolate() {
    const { reachable } = this;
    return this.random.pick(
      reachable === undefined
        ? this.#isolates
        : reachable.flatMap((isolate) => this.#isolates[isolate] ?? []),
    );
  }

  /** All isolates. Each has its own memory of where the banks are. */
  get isolates(): number[] {
    return [...this.#isolates.keys()];
  }

  isolatesOf(dataCentre: number): number[] {
    return this.isolates.filter((isolate) => isolate % DATA_CENTRES === dataCentre);
  }

  /** Whether anything is left to do, apart from sweeps. */
  get busy(): boolean {
    const clients = this.clients.some(({ busy, intents }) => busy || intents.length > 0);
    const { queue, webhookQueue } = this;
    const messageCount = queue.waiting.length + queue.deadLetters.length + webhookQueue.waiting.length;
    return clients || messageCount > 0 || this.scheduler.parked.length > 0;
  }

  /** Takes one step, picked from all that could happen next. */
  async step(): Promise<void> {
    const { parked, tasks, now } = this.scheduler;
    const idle = this.clients.filter(({ busy, intents }) => !busy && intents.length > 0);
    const ready = this.queue.waiting.filter(({ notBefore }) => notBefore <= now);
    const readyWebhooks = this.webhookQueue.waiting.filter(({ notBefore }) => notBefore <= now);
    const calls = parked.filter(({ boundary }) => boundary !== 'timer').length;
    const timers = parked.length - calls;
    const room = tasks.size < MAX_TASKS ? 1 : 0;
    const faulty = this.faulty ? 1 : 0;
    const moving = this.moves.isPossible ? faulty : 0;
    const { outdated } = this.lateWrites;
    const step = this.random.weighted<() => Promise<unknown>>([
      { weight: calls * 4, choice: () => this.#releaseCall() },
      // Timers fire when no call is parked. With faults they also fire while a call hangs: that is its deadline.
      { weight: timers > 0 ? (calls > 0 ? 0.1 * faulty : 4) : 0, choice: () => this.#fireTimer() },
      { weight: idle.length * 2 * room, choice: () => this.#startRequest(this.random.pick(idle)) },
      { weight: ready.length > 0 ? 3 * room : 0, choice: () => this.#deliver(ready) },
      { weight: readyWebhooks.length > 0 ? 3 * room : 0, choice: () => this.#deliverWebhook(readyWebhooks) },
      { weight: this.queue.deadLetters.length * room, choice: () => this.#deliverDeadLetters() },
      { weight: 0.25 * faulty * room, choice: () => this.sweep(this.random.between(20, 70) * 1_000) },
      { weight: moving * 0.15, choice: () => this.beginMove() },
      { weight: moving * 0.05, choice: () => this.abortMove() },
      { weight: moving * 0.1, choice: () => this.#spoilCopy() },
      { weight: moving * 0.6 * room, choice: () => this.advanceMoves(this.#pauseOfMoves()) },
      { weight: moving * 0.5 * room, choice: () => this.#startLaterRequest() },
      { weight: this.steps.count > 0 ? 0.3 * faulty : 0, choice: () => this.#repeatStep() },
      { weight: outdated.length > 0 ? 0.3 * faulty : 0, choice: () => this.#arriveLate(outdated) },
      { weight: 0.1 * faulty * tasks.size, choice: () => this.#killTask() },
      { weight: 0.2 * faulty, choice: () => this.#repeatMessage() },
      { weight: 0.2 * faulty, choice: () => this.#corruptStagedRow() },
      { weight: 0.1 * faulty, choice: () => this.#beginOutage() },
      // The only ones left may be messages that are due later.
      { weight: 0.01, choice: () => this.#passTime() },
    ]);
    await step();
  }

  /** Runs the cron after this many milliseconds. */
  async sweep(afterMs: number): Promise<void> {
    this.scheduler.now += afterMs;
    const isolate = this.random.pick(this.#isolates);
    await this.#start((context) => isolate.scheduled({} as ScheduledController, this.#env, context));
  }

  /** Runs the cron of the moves after this many milliseconds. */
  async advanceMoves(afterMs: number): Promise<void> {
    this.scheduler.now += afterMs;
    const isolate = this.random.pick(this.#isolates);
    const controller = { cron: MOVES_CRON } as ScheduledController;
    await this.#start(
      (context) => isolate.scheduled(controller, this.#env, context),
      undefined,
      (driver) => this.steps.addDriver(driver),
    );
  }

  /** Mostly none, so that isolates still remember where a bank was; sometimes enough for a bank to move back. */
  #pauseOfMoves(): number {
    const seconds = this.random.weighted([
      { weight: 6, choice: this.random.between(0, 3) },
      { weight: 2, choice: this.random.between(0, 60) },
      { weight: 2, choice: 330 },
    ]);
    return seconds * 1_000;
  }

  /** Changes that drivers have asked for arrive once more, and every change of before a move. */
  async repeatSteps(): Promise<void> {
    const steps = Array.from({ length: Math.min(this.steps.count, MAX_REPEATED_STEPS) }, () =>
      this.random.below(this.steps.count),
    );
    await Promise.all(steps.map((step) => this.steps.repeat(step)));
    await this.arriveLate();
  }

  /** Every change of before a move arrives that D1 has not answered. */
  async arriveLate(): Promise<void> {
    for (const write of this.lateWrites.outdated) await this.lateWrites.arrive(write);
  }

  /** The operator begins a move, of this bank or of any, and may abort it at once. */
  async beginMove(bank?: string): Promise<void> {
    if (await this.moves.begin(this.scheduler.now, bank)) this.#count('move');
  }

  async abortMove(): Promise<void> {
    if (!(await this.moves.abort(this.scheduler.now))) return;
    this.#count('move aborted');
    await this.tenants.watchDirectory();
  }

  /** Delivers every pointer that was ever sent once more, hours late. */
  async repeatHistory(): Promise<void> {
    this.scheduler.now += 4 * 3_600_000;
    const pointers = new Map(this.queue.history.map((body) => [JSON.stringify(body), body]));
    const messages = [...pointers.values()].map((body): QueuedMessage<ChunkPointer> => ({
      body,
      attempts: 1,
      notBefore: 0,
    }));
    await this.#consume('customer-batches', messages, () => {});
  }

  async #releaseCall(): Promise<void> {
    const calls = this.scheduler.parked.flatMap(({ boundary }, index) =>
      boundary === 'timer' ? [] : [index],
    );
    const index = this.random.pick(calls);
    const boundary = this.scheduler.parked[index]?.boundary;
    if (boundary === undefined || boundary === 'timer') return;
    this.#outageCallsLeft -= 1;
    const isOut = boundary.startsWith('d1') && this.#outageCallsLeft > 0;
    const random = this.faulty ? this.random.weighted(isOut ? OUTAGE_OUTCOMES : OUTCOMES[boundary]) : 'works';
    const outcome = this.#outcomeOnDemand(boundary) ?? random;
    if (outcome !== 'works') this.#count(`${boundary} ${outcome}`);
    await this.scheduler.release(index, outcome);
  }

  #outcomeOnDemand(boundary: Boundary): CallOutcome | undefined {
    if (boundary === this.broken) return 'before';
    if (boundary !== 'd1 change' || !this.losesAnswer) return undefined;
    this.losesAnswer = false;
    return 'after';
  }

  async #fireTimer(): Promise<void> {
    const timers = this.scheduler.parked.flatMap(({ boundary, due }, index) =>
      boundary === 'timer' ? [{ due, index }] : [],
    );
    const [first] = timers.toSorted((a, b) => a.due - b.due);
    if (first === undefined) return;
    if (this.scheduler.parked.length > timers.length) this.#count('call stalls');
    await this.scheduler.release(first.index, 'works');
  }

  async #startRequest(client: Client): Promise<void> {
    const intent = client.intents.shift();
    if (intent === undefined) return;
    client.busy = true;
    const attempt = await this.requests.prepare(intent);
    await this.#start(attempt.run, () => {
      client.busy = false;
      if (attempt.finish() && this.faulty) client.intents.unshift(intent);
    });
  }

  /** A bank reads what it has just changed, or does something else. */
  async #startLaterRequest(): Promise<void> {
    const intent = this.requests.followUps.pop() ?? makeLaterIntent(this.random);
    await this.#startRequest({ intents: [intent], busy: false });
  }

  async #deliver(ready: QueuedMessage<ChunkPointer>[]): Promise<void> {
    const maxMessages = this.random.between(1, 10);
    const picked = new Set(ready.filter(() => this.random.happens(0.6)).slice(0, maxMessages));
    if (picked.size === 0) picked.add(this.random.pick(ready));
    const messages = this.queue.take((message) => picked.has(message));
    const lost = this.faulty ? messages.filter(() => this.random.happens(0.2)) : [];
    for (const _ of lost) this.#count('message lost');
    const delivered = messages.filter((message) => !lost.includes(message));
    const again = this.faulty ? delivered.filter(() => this.random.happens(0.1)) : [];
    for (const _ of again) this.#count('message twice');
    await this.#consume('customer-batches', [...delivered, ...again], (message, delay) =>
      this.queue.redeliver(message, this.scheduler.now + delay * 1_000),
    );
  }

  /** One message at a time: deliveries beside each other are those of several tasks. */
  async #deliverWebhook(ready: QueuedMessage<EndpointPointer>[]): Promise<void> {
    const picked = this.random.pick(ready);
    const [message] = this.webhookQueue.take((other) => other === picked);
    if (message === undefined) return;
    if (this.faulty && this.random.happens(0.2)) return this.#count('message lost');
    // Another message for the same endpoint may come at the same time.
    if (this.faulty && this.random.happens(0.1)) {
      this.#count('message twice');
      this.webhookQueue.send([message.body]);
    }
    await this.#consume(WEBHOOK_QUEUE, [message], () => {});
  }

  async #deliverDeadLetters(): Promise<void> {
    this.#count('dead letter');
    const messages = this.queue.deadLetters.splice(0);
    await this.#consume(DEAD_LETTER_QUEUE, messages, (message) => this.queue.deadLetters.push(message));
  }

  /** Delivers messages to a consumer. Those that it has neither acknowledged nor retried by its end come again. */
  async #consume<Body>(
    queue: string,
    queued: QueuedMessage<Body>[],
    redeliver: (message: QueuedMessage<Body>, delaySeconds: number) => void,
  ): Promise<void> {
    const open = new Set(queued);
    const messages = queued.map((message) => ({
      body: message.body,
      attempts: message.attempts,
      // The first of these calls counts, as in Queues.
      ack: () => open.delete(message),
      retry: ({ delaySeconds = 0 }: QueueRetryOptions = {}) => {
        if (open.delete(message)) redeliver(message, delaySeconds);
      },
    }));
    const isolate = this.random.pick(this.#isolates);
    const batch = { queue, messages } as unknown as MessageBatch<Body>;
    await this.#start(
      (context) => isolate.queue(batch, this.#env, context),
      () => {
        for (const message of open) redeliver(message, 0);
      },
    );
  }

  async #start(
    work: (context: ExecutionContext) => unknown,
    onEnd?: () => void,
    onBegin?: (task: Task) => void,
  ): Promise<void> {
    const pending: Promise<unknown>[] = [];
    const context = {
      waitUntil: (promise: Promise<unknown>) => void pending.push(promise),
      passThroughOnException: () => {},
    } as unknown as ExecutionContext;
    await this.scheduler.start(
      async () => {
        try {
          await work(context);
          await Promise.all(pending);
        } catch {
          // If a consumer or a sweep throws, the queue model or the next cron retries it.
        }
      },
      onEnd,
      onBegin,
    );
  }

  async #spoilCopy(): Promise<void> {
    if (await this.moves.spoilCopy()) this.#count('copy spoiled');
  }

  async #arriveLate(outdated: LateWrites['outdated']): Promise<void> {
    this.#count('change of before a move late');
    await this.lateWrites.arrive(this.random.pick(outdated));
  }

  async #repeatStep(): Promise<void> {
    this.#count('step of a move late');
    await this.steps.repeat(this.random.below(this.steps.count));
  }

  async #killTask(): Promise<void> {
    this.#count('process dies');
    this.scheduler.kill(this.random.pick([...this.scheduler.tasks]));
  }

  async #repeatMessage(): Promise<void> {
    if (this.queue.history.length === 0) return;
    this.#count('message late');
    this.queue.waiting.push({ body: this.random.pick(this.queue.history), attempts: 1, notBefore: 0 });
  }

  async #corruptStagedRow(): Promise<void> {
    const fault = await corruptStagedRow(this.#real, this.random);
    if (fault === 'row breaks a constraint') this.corruptedRows += 1;
    if (fault !== undefined) this.#count(fault);
  }

  async #beginOutage(): Promise<void> {
    this.#count('d1 outage');
    this.#outageCallsLeft = OUTAGE_CALL_COUNT;
  }

  async #passTime(): Promise<void> {
    this.scheduler.now += 10_000;
  }

  #count(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
  }
}
