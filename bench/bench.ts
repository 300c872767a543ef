/**
 * `npm run bench [-- --quick] [--json] [--picture <file>]`: compares our Worker with the platform's ceilings and with a
 * typical build, in the same runtime, configuration and process layout, in interleaved rounds. Only the ratios count:
 * machines differ, and each is noisy.
 */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { LIMITS } from '../src/limits.ts';
import { pathOfCaller, run } from '../tools/lib/arguments.ts';
import { acceptAndConsume, acceptByTypicalWorker, insertBare } from './batches.ts';
import { fillCache, multiply, prepare, REQUESTS } from './data.ts';
import { Lookups, measureBesideImport, type BesideImport } from './beside-import.ts';
import { measure } from './load.ts';
import {
  compareBatches,
  compareBesideImport,
  compareLookups,
  type BatchRound,
  type LoadRound,
} from './ratios.ts';
import { describeMachine, judge, toPicture, toTable, type Ratio, type Verdict } from './report.ts';
import { startServer, type BenchServer } from './servers.ts';
import { compareWorst } from './worst.ts';

/** Customers of the large bank: copies of a staged chunk. */
const LARGE_BANK_CUSTOMERS = 1_000_000;
/** Events of the queue that run at once, in a local queue: it delivers one after the other. */
const CONSUMERS = 1;
/** Enough to keep workerd busy, and few enough that the load generator is not the bottleneck. */
const CONNECTIONS = 8;

interface Servers {
  ours: BenchServer;
  /** Ours again, for the lookups beside an import, which leaves hundreds of thousands of customers behind. */
  importing: BenchServer;
  large: BenchServer;
  ceiling: BenchServer;
  typical: BenchServer;
}

const LOADS = {
  constant: ['ceiling', REQUESTS.constant],
  'raw cache': ['ceiling', REQUESTS.rawCache],
  'phrase hit': ['ours', REQUESTS.phrase],
  'payee hit': ['ours', REQUESTS.payee],
  'phrase hit, large': ['large', REQUESTS.phrase],
  'phrase, typical': ['typical', REQUESTS.phrase],
  'raw D1 by id': ['ceiling', REQUESTS.rawId],
  id: ['ours', REQUESTS.id],
  'id, large': ['large', REQUESTS.id],
  'raw D1 by email': ['ceiling', REQUESTS.rawEmail],
  email: ['ours', REQUESTS.email],
  'email, large': ['large', REQUESTS.email],
  'raw D1 list': ['ceiling', REQUESTS.rawList],
  list: ['ours', REQUESTS.list],
} as const satisfies Record<string, readonly [keyof Servers, unknown]>;
type Load = keyof typeof LOADS;
type Round = LoadRound<Load>;

/** @param isReversed alternates, so that no load always follows the same one */
async function playRound(servers: Servers, milliseconds: number, isReversed: boolean): Promise<Round> {
  for (const { url } of [servers.ours, servers.large, servers.importing]) await fillCache(url);
  await fillCache(servers.ceiling.url, [REQUESTS.rawCache]);
  const round: Partial<Round> = {};
  const loads = Object.entries(LOADS);
  for (const [name, [server, next]] of isReversed ? loads.toReversed() : loads) {
    const { url, cpu } = servers[server];
    round[name as Load] = await measure(url, next, milliseconds, CONNECTIONS, cpu);
  }
  return round as Round;
}

async function playBatches(servers: Servers, round: number): Promise<BatchRound> {
  const ours = await acceptAndConsume(servers.ours, round);
  const bare = await insertBare(servers.ceiling, ours.payloads);
  const large = await acceptAndConsume(servers.large, round);
  const costs = await compareWorst(servers.ours, round);
  return { ours, large, bare, typical: await acceptByTypicalWorker(servers.typical, round), costs };
}

/** Fills the large bank with really staged rows. @returns bytes that a customer takes in D1 */
async function fill(large: BenchServer): Promise<number> {
  const { payloads } = await acceptAndConsume(large, 999);
  const size = async () => (await large.db.prepare('SELECT 1').run()).meta.size_after;
  const before = await size();
  const times = LARGE_BANK_CUSTOMERS / LIMITS.chunkRows;
  await multiply(large.db, payloads[0] ?? '[]', times);
  return ((await size()) - before) / LARGE_BANK_CUSTOMERS;
}

async function bench(quick: boolean): Promise<Ratio[]> {
  const log = (text: string) => console.error(text);
  log('Building and starting …');
  const servers: Servers = {
    ours: await startServer('ours'),
    importing: await startServer('ours'),
    large: await startServer('ours'),
    ceiling: await startServer('ceiling'),
    typical: await startServer('typical'),
  };
  const lookups = new Lookups(servers.importing);
  try {
    for (const server of Object.values(servers)) await prepare(server);
    log(`Filling a bank with ${LARGE_BANK_CUSTOMERS.toLocaleString('en')} customers …`);
    const bytes = await fill(servers.large);
    const [count, milliseconds] = quick ? [3, 700] : [9, 1_500];
    await playRound(servers, 500, false);
    const rounds: Round[] = [];
    const batches: BatchRound[] = [];
    const beside: Record<'phrase' | 'id', BesideImport[]> = { phrase: [], id: [] };
    for (let round = 0; round < count; round += 1) {
      log(`Round ${round + 1} of ${count} …`);
      rounds.push(await playRound(servers, milliseconds, round % 2 === 1));
      batches.push(await playBatches(servers, round));
      for (const load of ['phrase', 'id'] as const)
        beside[load].push(await measureBesideImport(servers.importing, lookups, load, CONSUMERS));
    }
    return [
      ...compareLookups(rounds),
      ...compareBatches(batches, bytes),
      ...compareBesideImport('phrase', beside.phrase),
      ...compareBesideImport('id', beside.id),
    ];
  } finally {
    await lookups.close();
    for (const { miniflare } of Object.values(servers)) await miniflare.dispose();
  }
}

const program = new Command('bench')
  .description('compare our Worker with the platform’s ceilings and a typical build')
  .option('--quick', 'fewer and shorter rounds')
  .option('--json', 'print JSON')
  .option('--picture <file>', 'write the result as an SVG')
  .action(async ({ quick = false, json, picture }) => {
    const machine = describeMachine();
    const ratios = await bench(quick);
    if (picture !== undefined) await writeFile(pathOfCaller(picture), toPicture(ratios));
    if (json) {
      console.log(JSON.stringify({ machine, ratios }, null, 2));
      return;
    }
    const count = (verdict: Verdict) => ratios.filter((ratio) => judge(ratio) === verdict).length;
    console.log(`${machine}\n\n${toTable(ratios)}`);
    console.log(
      `\nOf ${ratios.length} targets: ${count('yes')} met, ${count('no')} missed, ${count('unclear')} unclear.`,
    );
  });

await run(program);
