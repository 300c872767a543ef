/**
 * A real move: a bank with 50,000 customers goes from one shard to another while it is looked up and changed, and the
 * whole process group gets SIGKILL at a random moment of the move. `npm run move` plays one round, `MOVE_ROUNDS=10 npm run
 * move` ten. MOVE_CUSTOMERS sets another number of customers, and MOVE_KILL=no measures the rate of an undisturbed move.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Move } from '../../src/databases/moves/move.ts';
import { selectLatestMove } from '../../src/databases/moves/moves.store.ts';
import { MOVES_CRON } from '../../src/env.ts';
import { generateCustomers } from '../../tools/dev/customers.ts';
import { prepareLocalDatabase } from '../../tools/dev/local-database.ts';
import { startServer, type Server } from '../../tools/dev/server.ts';
import { textOf } from '../../tools/lib/sql.ts';
import { d1, projectFolder } from '../../tools/lib/wrangler.ts';

const ROUNDS = Number(process.env['MOVE_ROUNDS'] ?? 1);
const CUSTOMERS = Number(process.env['MOVE_CUSTOMERS'] ?? 50_000);
const IS_KILLED = process.env['MOVE_KILL'] !== 'no';
const BATCH_ROWS = 10_000;
const MAX_MOVE_MS = 600_000;
const MAX_RESENDING_MS = 300_000;
const BANK = 'bnk_demo_lagos';
const API_KEY = 'peere_test_lagos_full';

/** One way through all servers of a round: the one of before the SIGKILL, and the one after it. */
class Network {
  server: Server;
  constructor(server: Server) {
    this.server = server;
  }

  /** @returns undefined if the server is being killed or started */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    try {
      const response = await fetch(this.server.url + path, {
        method,
        headers: { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, json: JSON.parse(text) };
    } catch {
      return undefined;
    }
  }

  /** @returns what the server has logged about a request */
  logOf(requestId: string): string {
    return this.server
      .output()
      .split('\n')
      .filter((line) => line.includes(requestId))
      .join('\n');
  }

  async require(method: string, path: string, body?: unknown) {
    const response = await this.send(method, path, body);
    assert.ok(response !== undefined && response.status < 300, `${method} ${path}: ${response?.status}`);
    return response;
  }
}

const perSecond = (count: number, milliseconds: number) => Math.round((count / milliseconds) * 1_000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function runTool(stateFolder: string, tool: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [tool, ...args, '--persist-to', stateFolder],
    {
      cwd: projectFolder,
    },
  );
  return stdout;
}

const onDirectory = <Row>(folder: string, sql: string) =>
  d1<Row>({ remote: false, persistTo: folder }, 'DIRECTORY', sql);

/** Imports customers, and waits until they are there. @returns how many are accepted */
async function importCustomers(network: Network, count: number, domain: string): Promise<number> {
  const batches: { path: string; accepted: number }[] = [];
  for (let first = 0; first < count; first += BATCH_ROWS) {
    const rows = generateCustomers(Math.min(BATCH_ROWS, count - first), first + 1, `${first}.${domain}`);
    const { headers, json } = await network.require('POST', '/v1/bank/customers', { customers: rows });
    batches.push({ path: headers.get('Location') ?? '', accepted: json.data.data.customerIds.length });
  }
  for (const { path } of batches) {
    while ((await network.require('GET', path)).json.data.completedAt === null) await pause(200);
  }
  return batches.reduce((sum, { accepted }) => sum + accepted, 0);
}

interface Known {
  id: string;
  phrase: string;
}

type Answer = NonNullable<Awaited<ReturnType<Network['send']>>>;

/** What a bank does while it moves, until it is told to stop. */
class Traffic {
  lookups = 0;
  readonly failures: string[] = [];
  /** The picture that the last acknowledged update has set, by customer. */
  readonly updates = new Map<string, string>();
  readonly erased = new Set<string>();
  /** Customers of acknowledged batches. */
  added = 0;
  refused = 0;
  readonly #network: Network;
  readonly #customers: Known[];
  #stopped = false;
  readonly #running: Promise<void>[];

  constructor(network: Network, customers: Known[]) {
    this.#network = network;
    this.#customers = customers;
    this.#running = [this.#lookUp(), this.#lookUp(), this.#change()];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  #customerAt(index: number): Known {
    const customer = this.#customers[index];
    if (customer === undefined) throw new RangeError('There is no such customer.');
    return customer;
  }

  async #lookUp(): Promise<void> {
    for (let number = 0; !this.#stopped; number += 1) {
      // Those that are erased have other indexes.
      const { id, phrase } = this.#customerAt((number * 7) % (this.#customers.length / 2));
      const response = await this.#network.send('GET', `/v1/bank/customer?phrase=${phrase}`);
      if (response === undefined) await pause(100);
      else if (response.status === 200 && response.json.data.id === id) this.lookups += 1;
      else this.failures.push(`lookup: ${response.status} ${this.#network.logOf(response.json.requestId)}`);
    }
  }

  /** Updates, erasures and batches in turn. One whose answer is lost is repeated until it is made, or refused for good. */
  async #change(): Promise<void> {
    const half = this.#customers.length / 2;
    for (let number = 0; !this.#stopped; number += 1) {
      const updated = this.#customerAt(number % half);
      const erased = this.#customerAt(half + (number % half));
      const displayPicture = `https://pictures.example.com/${number}`;
      const update = await this.#insist('PATCH', '/v1/bank/customer', {
        id: updated.id,
        update: { displayPicture },
      });
      if (update.status === 200) this.updates.set(updated.id, displayPicture);
      const erasure = await this.#insist('DELETE', `/v1/bank/customer?id=${erased.id}`);
      // An erasure that was made, and whose answer was lost, is a 404 when it is repeated.
      if (erasure.status === 200 || erasure.status === 404) this.erased.add(erased.id);
      const customers = generateCustomers(1, number + 1, `moving${number}.example.com`);
      const batch = await this.#insist(
        'POST',
        '/v1/bank/customers',
        { customers },
        { 'Idempotency-Key': `move-${number}` },
      );
      // Some of the rows that are generated are refused.
      if (batch.status === 201) this.added += batch.json.data.data.customerIds.length;
      await pause(50);
    }
  }

  async #insist(...request: Parameters<Network['send']>): Promise<Answer> {
    let mayBeMade = false;
    for (;;) {
      const response = await this.#network.send(...request);
      if (response === undefined) mayBeMade = true;
      else if (response.status === 503) {
        this.refused += 1;
        if (!mayBeMade) return response;
      } else {
        if (![200, 201, 404].includes(response.status))
          this.failures.push(`${request[0]}: ${response.status}`);
        return response;
      }
      await pause(100);
    }
  }
}

/** @returns the move of the round; undefined until the command has begun it */
async function readMove(network: Network): Promise<Move | undefined> {
  const [move] = await onDirectory<Move>(network.server.stateFolder, textOf([selectLatestMove(BANK)]));
  return move;
}

/** @returns from 0 to 1; what follows the comparison takes no time */
function shareDone(move: Move | undefined): number {
  if (move === undefined || move.totalRows === 0) return 0;
  return (move.copiedRows + move.verifiedRows) / (2 * move.totalRows);
}

/** Runs the cron of the moves again and again, so that a round does not take minutes, until the move is in one of the phases. */
async function drive(network: Network, phases: readonly string[], signal: AbortSignal): Promise<Move> {
  while (!signal.aborted) {
    const cron = encodeURIComponent(MOVES_CRON);
    await fetch(`${network.server.url}/cdn-cgi/handler/scheduled?cron=${cron}`).catch(() => pause(200));
    const move = await readMove(network);
    if (move !== undefined && phases.includes(move.phase)) return move;
  }
  throw new Error('The move did not end.', { cause: signal.reason });
}

async function startWithTwoShards(): Promise<Network> {
  const folder = await mkdtemp(join(tmpdir(), 'peere-move-'));
  await prepareLocalDatabase(folder);
  await runTool(folder, 'tools/admin/shard.ts', 'add', '--name', 'SHARD_2');
  return new Network(await startServer(folder));
}

async function total(network: Network): Promise<number> {
  const { headers } = await network.require('GET', '/v1/bank/customers?limit=1');
  return Number(headers.get('X-Total-Count'));
}

/** Waits until the batches that were accepted during the move are applied: the sweep sends them again after two minutes. */
async function hasAll(network: Network, expected: number): Promise<void> {
  const giveUpAt = Date.now() + MAX_RESENDING_MS;
  while (Date.now() < giveUpAt && (await total(network)) !== expected) await pause(500);
  assert.equal(await total(network), expected);
}

void describe('a bank that moves while it is used, and whose process is killed', () => {
  for (let round = 1; round <= ROUNDS; round += 1) {
    void it(
      `has every customer once, and no lookup failed (round ${round})`,
      { timeout: 1_800_000 },
      async () => {
        const network = await startWithTwoShards();
        try {
          await play(network, round);
        } finally {
          await network.server.stop();
        }
      },
    );
  }
});

async function play(network: Network, round: number): Promise<void> {
  const { stateFolder } = network.server;
  const before = await total(network);
  const importedFrom = Date.now();
  const imported = await importCustomers(network, CUSTOMERS, `round${round}.example.com`);
  console.log(`${perSecond(imported, Date.now() - importedFrom)} customers a second were imported.`);
  const { json } = await network.require('GET', '/v1/bank/customers?limit=1000');
  const traffic = new Traffic(network, json as Known[]);
  const moving = runTool(stateFolder, 'tools/admin/bank.ts', 'move', BANK, '--to', 'SHARD_2', '--yes');
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, AbortSignal.timeout(MAX_MOVE_MS)]);
  moving.catch((error) => failed.abort(error));
  const driving = moveAndKill(network, signal);
  await Promise.allSettled([driving, moving]);
  await traffic.stop();
  const [move, printed] = await Promise.all([driving, moving]);
  console.log(printed.trim());
  const milliseconds = (move.switchingAt ?? 0) - (move.frozenAt ?? 0);
  console.log(
    `${move.totalRows} rows copied and compared in ${(milliseconds / 1_000).toFixed(1)} s, ${perSecond(move.totalRows, milliseconds)} a second; ` +
      `${traffic.lookups} lookups, ${traffic.failures.length} failed; ${traffic.refused} changes refused`,
  );

  assert.equal(move.error, null);
  assert.deepEqual(traffic.failures, []);
  assert.ok(traffic.lookups > 0, 'nothing was asked during the move');
  await hasAll(network, before + imported + traffic.added - traffic.erased.size);
  for (const [id, picture] of traffic.updates) {
    const { json: found } = await network.require('GET', `/v1/bank/customer?id=${id}`);
    assert.equal(found.data.displayPicture, picture);
  }
  for (const id of traffic.erased) {
    assert.equal((await network.send('GET', `/v1/bank/customer?id=${id}`))?.status, 404);
  }

  await onDirectory(stateFolder, 'UPDATE bank_moves SET opened_at = 0');
  await drive(network, ['done'], AbortSignal.timeout(MAX_MOVE_MS));
  const left = await d1<{ count: number }>(
    { remote: false, persistTo: stateFolder },
    'SHARD_1',
    `SELECT count(*) AS count FROM customers WHERE bank_id = '${BANK}'`,
  );
  assert.deepEqual(left, [{ count: 0 }]);
}

/** @returns the move, when the bank is open again and has taken changes for a moment */
async function moveAndKill(network: Network, signal: AbortSignal): Promise<Move> {
  if (IS_KILLED) {
    // Not by running the cron, which would make the whole move before it is looked at.
    while (!signal.aborted && (await readMove(network)) === undefined) await pause(100);
    const killing = new AbortController();
    const driven = drive(network, [], killing.signal).catch(() => undefined);
    const killAt = Math.random();
    while (!signal.aborted && shareDone(await readMove(network)) < killAt) await pause(100);
    killing.abort();
    await network.server.kill();
    await driven;
    const met = await readMove(network);
    console.log(
      `Killed while ${met?.phase}: ${met?.copiedRows} rows were copied, ${met?.verifiedRows} compared.`,
    );
    network.server = await startServer(network.server.stateFolder);
  }
  const move = await drive(network, ['cleaning', 'aborted'], signal);
  await pause(1_000);
  return move;
}
