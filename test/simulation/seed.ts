/** Plays one seed: first with faults, then without, and checks what must be true at the end. */
import { env } from 'cloudflare:workers';
import { redriveBatch } from '../../src/batches/process/redrive.store.ts';
import { executeBatch } from '../../src/db/statements.ts';
import { importFieldKey, sealField } from '../../src/crypto/field-cipher.ts';
import { WEBHOOK_SECRET } from '../../src/webhooks/receiver.ts';
import { ACCRA, API_KEYS, LAGOS } from '../support/banks.ts';
import { CalmMove } from './calm-move.ts';
import { makeNewRows } from './clients.ts';
import { checkDeliveries } from './event-invariants.ts';
import { checkState, Progress, readState, type State } from './invariants.ts';
import { ENDPOINTS, urlOf } from './receivers.ts';
import { BEGINNING } from './scheduler.ts';
import { World } from './world.ts';

export interface SeedResult {
  violations: string[];
  customers: number;
  batches: number;
  faults: Map<string, number>;
}

/** Steps with faults. A move takes a hundred alone. */
const FAULTY_STEPS = 120;
const FAULTY_STEPS_WITH_MOVES = 280;
/** More than any seed needs: one that takes longer never ends. */
const MAX_STEPS = 5_000;
const MAX_SWEEPS = 5;
/** Steps between two samples of the batches' progress. */
const STEPS_PER_SAMPLE = 40;

export async function playSeed(seed: number): Promise<SeedResult> {
  await clear();
  const world = new World(seed, env);
  const violations = [...world.requests.violations];
  const violate = (violation: string) => void violations.push(violation);

  const progress = new Progress(violate);
  const faultySteps = world.moves.isPossible ? FAULTY_STEPS_WITH_MOVES : FAULTY_STEPS;
  for (let step = 0; step < faultySteps && (world.busy || world.moves.isPossible); step += 1) {
    await world.step();
    if (step % STEPS_PER_SAMPLE === 0) await progress.sample(env);
  }
  world.faulty = false;
  await settle(world, violate);
  await finishMoves(world, violate);
  await postOnce(world, violate);
  await redriveStalled(world);
  for (let sweep = 0; sweep < MAX_SWEEPS && (await hasOpenBatches()); sweep += 1) {
    await world.sweep(61_000);
    await settle(world, violate);
  }
  if (world.moves.isPossible) await new CalmMove(world, () => settle(world, violate), violate).play();
  await deliverAll(world, violate);
  await retryAll(world, violate);
  await progress.sample(env);
  const state = await readState(env);
  checkState(state, world, violate);
  checkDeliveries(state, world.receivers, violate);
  await askPayees(state, world, violate);

  await world.repeatHistory();
  await settle(world, violate);
  if (!isSame(state, await readState(env))) violate('a late message changed something');
  await world.repeatSteps();
  if (!isSame(state, await readState(env)))
    violate('a late step of a move, or a change of before it, changed something');
  await eraseAsked(state, world, violate);
  violations.push(...world.requests.violations, ...world.tenants.violations);
  return {
    violations: [...new Set(violations)],
    customers: state.customers.length,
    batches: state.batches.length,
    faults: world.faults,
  };
}

async function clear(): Promise<void> {
  const { DIRECTORY, SHARD_1, SHARD_2 } = env;
  const tables = [
    'customers',
    'batches',
    'batch_chunks',
    'batch_failures',
    'idempotency_keys',
    'retired_phrases',
    'audit_log',
    'payee_misses',
    'events',
    'webhook_endpoints',
    'tenants',
  ];
  for (const shard of [SHARD_1, SHARD_2]) {
    await shard.batch([
      // The trigger forbids emptying the audit log of banks that have not moved.
      shard.prepare("UPDATE tenants SET state = 'moved'"),
      ...tables.map((table) => shard.prepare(`DELETE FROM ${table}`)),
    ]);
  }
  const tenant = SHARD_1.prepare("INSERT INTO tenants (bank_id, state) VALUES (?, 'open')");
  await SHARD_1.batch([tenant.bind(LAGOS), tenant.bind(ACCRA), ...(await insertEndpoints(SHARD_1))]);
  // Otherwise the first use of an API key is written beside the request, and the scheduler would take that call for
  // the request's own while the request is still running.
  const today = new Date(BEGINNING).toISOString().slice(0, 10);
  await DIRECTORY.batch([
    DIRECTORY.prepare('UPDATE api_keys SET last_used_on = ?').bind(today),
    DIRECTORY.prepare('DELETE FROM bank_moves'),
    DIRECTORY.prepare("UPDATE banks SET shard = 'SHARD_1', move_number = 0"),
  ]);
}

/** A batch without an Idempotency-Key, whose commit D1 does not confirm, is accepted once all the same. */
async function postOnce(world: World, violate: (violation: string) => void): Promise<void> {
  const { moves, requests, clients, random } = world;
  const apiKey = (await moves.pickBank()) === ACCRA ? API_KEYS.other : API_KEYS.full;
  const before = requests.acknowledged.length;
  world.losesAnswer = true;
  clients[0]?.intents.push({ kind: 'post', apiKey, idempotencyKey: null, rows: makeNewRows(random) });
  await settle(world, violate);
  world.losesAnswer = false;
  if (requests.acknowledged.length === before) violate('a batch is refused because an answer was lost');
}

/** Longer than a source keeps its rows after a move. */
const CLEANING_DELAY_MS = 6 * 60_000;
/** Runs of the driver: one for what was begun, one after the delay, and one for a bank that waited for another. */
const MAX_MOVE_RUNS = 6;

/** Without faults, every move ends within a few runs of the cron. */
async function finishMoves(world: World, violate: (violation: string) => void): Promise<void> {
  for (let run = 0; (await world.moves.unfinished()).length > 0; run += 1) {
    if (run === MAX_MOVE_RUNS) return violate('a move never ends');
    await world.advanceMoves(CLEANING_DELAY_MS);
    await settle(world, violate);
  }
}

/** Secrets of the endpoints, sealed once for all seeds. */
let sealedSecrets: Promise<string[]> | undefined;

async function insertEndpoints(db: D1Database): Promise<D1PreparedStatement[]> {
  sealedSecrets ??= importFieldKey(1, env.FIELD_KEY_1 ?? '').then((fieldKey) =>
    Promise.all(
      ENDPOINTS.map(({ bank: bankId, id: ownerId }) =>
        sealField(fieldKey, { bankId, ownerId, field: WEBHOOK_SECRET }, `whsec_${btoa(ownerId)}`),
      ),
    ),
  );
  const secrets = await sealedSecrets;
  const insert = db.prepare(
    `INSERT INTO webhook_endpoints (bank_id, id, url, types, secret, position, created_at)
     VALUES (?, ?, ?, ?, ?, 0, 0)`,
  );
  return ENDPOINTS.map((endpoint, index) =>
    insert.bind(
      endpoint.bank,
      endpoint.id,
      urlOf(endpoint),
      JSON.stringify(endpoint.types),
      secrets[index] ?? '',
    ),
  );
}

/** Longer than any wait between two attempts. */
const LONGEST_WAIT_MS = 6 * 3_600_000;

/** Without faults, every event is delivered within a few sweeps. Banks enable what a 410 has disabled. */
async function deliverAll(world: World, violate: (violation: string) => void): Promise<void> {
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep += 1) {
    const behind = await onShards<{ id: string }>(
      `UPDATE webhook_endpoints SET status = 'ENABLED'
       WHERE position < (SELECT event_sequence FROM tenants WHERE bank_id = webhook_endpoints.bank_id) RETURNING id`,
    );
    if (behind.length === 0) return;
    await world.sweep(LONGEST_WAIT_MS);
    await settle(world, violate);
  }
}

/** Runs a statement on every shard. */
async function onShards<Row>(statement: string): Promise<Row[]> {
  const results = await Promise.all(
    [env.SHARD_1, env.SHARD_2].map((shard) => shard.prepare(statement).all<Row>()),
  );
  return results.flatMap((result) => result.results);
}

async function settle(world: World, violate: (violation: string) => void): Promise<void> {
  for (let step = 0; world.busy; step += 1) {
    if (step === MAX_STEPS) return violate('the seed never ends');
    await world.step();
  }
}

async function hasOpenBatches(): Promise<boolean> {
  return (await onShards('SELECT 1 FROM batches WHERE completed_at IS NULL LIMIT 1')).length > 0;
}

/** Does what `npm run batches -- redrive` does for an operator. */
async function redriveStalled(world: World): Promise<void> {
  const stalled = await onShards<{ id: string }>(
    `SELECT id FROM batches WHERE status = 'STALLED' ORDER BY id`,
  );
  for (const { id } of stalled) {
    for (const shard of [env.SHARD_1, env.SHARD_2])
      await executeBatch(shard, redriveBatch(id, world.scheduler.now));
  }
}

/** Longer than an isolate takes a request for running that died with its process. */
const IN_FLIGHT_EXPIRY_MS = 121_000;

/** Retries every acknowledged request with an Idempotency-Key, which must get its first response. */
async function retryAll(world: World, violate: (violation: string) => void): Promise<void> {
  const { requests, clients } = world;
  const withKey = requests.acknowledged.filter(({ intent }) => intent.idempotencyKey !== null);
  world.scheduler.now += IN_FLIGHT_EXPIRY_MS;
  for (const { intent, response } of withKey) {
    const before = requests.acknowledged.length;
    clients[0]?.intents.push(intent);
    await settle(world, violate);
    const again = requests.acknowledged[before]?.response;
    if (again === undefined) {
      violate('a retry after the faults gets no response');
      continue;
    }
    if (again.status !== response.status) violate('a retry gets another status');
    if (JSON.stringify(again.body.data) !== JSON.stringify(response.body.data))
      violate('a retry gets another response');
    if (!again.headers.has('Idempotent-Replayed')) violate('a retry is not marked as replayed');
  }
}

/** How old a payee's answer may be, as the README says, and the difference of two machines' clocks. */
const BOUND_MS = 5 * 60_000 + 1_000;

/** As the world has them. */
const DATA_CENTRES = [0, 1];

/** Payees of each kind that a seed asks for after its history. All of them would take longer than the history. */
const MAX_ASKED = 2;

/** After the bound, a payee is as D1 has it: who was erased is nobody, and who was updated shows the update. */
async function askPayees(state: State, world: World, violate: (violation: string) => void): Promise<void> {
  world.scheduler.now += BOUND_MS;
  const { erasures, updates } = world.requests;
  const stored = new Map(state.customers.map((customer) => [customer.id, customer]));
  // An erasure that was not answered may have been made all the same.
  const erased = erasures.flatMap(({ id, phrase }) =>
    phrase === undefined || stored.has(id) ? [] : [{ id, phrase }],
  );
  for (const about of erased.slice(-MAX_ASKED)) {
    if ((await askPayee(world, about, violate)) !== undefined) violate('an erased customer is a payee');
  }
  const updated = [...new Set(updates.map(({ id }) => id))].flatMap((id) => stored.get(id) ?? []);
  for (const customer of updated.slice(-MAX_ASKED)) {
    const payee = await askPayee(world, customer, violate);
    if (payee?.displayPicture !== customer.display_picture) violate('a payee is older than promised');
  }
}

/**
 * Without faults an erasure takes effect at once in its data centre, and elsewhere after the bound; if the cache takes no
 * deletion, everywhere after the bound.
 */
async function eraseAsked(state: State, world: World, violate: (violation: string) => void): Promise<void> {
  const [customer] = state.customers;
  if (customer === undefined) return;
  const refuses = world.random.happens(0.5);
  for (const dataCentre of DATA_CENTRES) {
    world.reachable = world.isolatesOf(dataCentre);
    await askPayee(world, customer, violate);
  }
  const apiKey = customer.bank_id === ACCRA ? API_KEYS.other : API_KEYS.full;
  world.broken = refuses ? 'cache put' : undefined;
  world.clients[0]?.intents.push({ kind: 'erase', apiKey, about: customer });
  await settle(world, violate);
  world.broken = undefined;
  if (!refuses && (await askPayee(world, customer, violate)) !== undefined)
    violate('an erased customer is still a payee');
  world.scheduler.now += BOUND_MS;
  for (const dataCentre of DATA_CENTRES) {
    world.reachable = world.isolatesOf(dataCentre);
    if ((await askPayee(world, customer, violate)) !== undefined)
      violate('an erased customer is a payee for too long');
  }
  world.reachable = undefined;
}

/** @returns what was answered; undefined if the payee was not found */
async function askPayee(
  world: World,
  about: { id: string; phrase: string },
  violate: (violation: string) => void,
) {
  const { requests, clients } = world;
  requests.payees.delete(about.phrase);
  clients[0]?.intents.push({ kind: 'payee', about });
  await settle(world, violate);
  return requests.payees.get(about.phrase);
}

function isSame(one: State, other: State): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
