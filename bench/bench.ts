/**
 * `npm run bench [-- --quick] [--json] [--picture <file>]`: compares our Worker with the platform's ceilings and with a
 * typical build, in the same runtime, configuration and process layout, in interleaved rounds. Only the ratios count:
 * machines differ, and each is noisy.
 */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { pathOfCaller, run } from '../tools/lib/arguments.ts';
import { acceptAndConsume, acceptByTypicalWorker, insertBare, type BatchRates } from './batches.ts';
import { BANK, multiply, prepare, REQUESTS } from './data.ts';
import { measure, type Measured } from './load.ts';
import { median } from './median.ts';
import { isMet, toPicture, toTable, type Ratio } from './report.ts';
import { startServer, type BenchServer } from './servers.ts';
import { compareWorst, type Costs } from './worst.ts';

/** Customers of the large bank: a thousand copies of a staged chunk of 1,000. */
const LARGE_BANK_CUSTOMERS = 1_000_000;
/** Enough to keep workerd busy, and few enough that the load generator is not the bottleneck. */
const CONNECTIONS = 8;

interface Servers {
  ours: BenchServer;
  large: BenchServer;
  ceiling: BenchServer;
  typical: BenchServer;
}

const LOADS = {
  constant: ['ceiling', REQUESTS.constant],
  'raw KV': ['ceiling', REQUESTS.rawKv],
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
type Round = Record<Load, Measured>;

/** @param isReversed alternates, so that no load always follows the same one */
async function playRound(servers: Servers, milliseconds: number, isReversed: boolean): Promise<Round> {
  const round: Partial<Round> = {};
  const loads = Object.entries(LOADS);
  for (const [name, [server, next]] of isReversed ? loads.toReversed() : loads) {
    const { url, cpu } = servers[server];
    round[name as Load] = await measure(url, next, milliseconds, CONNECTIONS, cpu);
  }
  return round as Round;
}

interface BatchRound {
  ours: BatchRates;
  large: BatchRates;
  bare: number;
  typical: number;
  costs: Costs;
}

async function playBatches(servers: Servers, round: number): Promise<BatchRound> {
  const ours = await acceptAndConsume(servers.ours, round);
  const bare = await insertBare(servers.ceiling, ours.payloads);
  const large = await acceptAndConsume(servers.large, round);
  const costs = await compareWorst(servers.ours, round);
  return { ours, large, bare, typical: await acceptByTypicalWorker(servers.typical, round), costs };
}

/** Computes the ratios of two measurements, round by round. */
function compare<Played>(
  rounds: Played[],
  what: string,
  unit: string,
  target: number,
  top: (round: Played) => number,
  bottom: (round: Played) => number,
  isMaximum = false,
): Ratio {
  const ratios = rounds.map((round) => top(round) / bottom(round));
  const [one, other] = [median(rounds.map(top)), median(rounds.map(bottom))];
  const digits = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  return {
    what,
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    target,
    isMaximum,
    of: `${digits(one)} ÷ ${digits(other)} ${unit}`,
  };
}

function compareLookups(rounds: Round[]): Ratio[] {
  const rate = (load: Load) => (round: Round) => round[load].rate;
  const p50 = (load: Load) => (round: Round) => round[load].p50;
  const cpu = (load: Load) => (round: Round) => (round[load].cpu ?? Number.NaN) * 1_000;
  const speed = (what: string, target: number, top: Load, bottom: Load) =>
    compare(rounds, what, 'a second', target, rate(top), rate(bottom));
  const growth = (load: 'phrase hit' | 'id' | 'email') =>
    compare(rounds, `p50, ${load}, 1,000,000 ÷ 1,000`, 'ms', 1.2, p50(`${load}, large`), p50(load), true);
  const cost = (what: string, target: number, bottom: Load) =>
    compare(rounds, what, 'µs', target, cpu('phrase hit'), cpu(bottom), true);
  return [
    speed('phrase hit ÷ raw KV read', 0.85, 'phrase hit', 'raw KV'),
    speed('phrase hit ÷ typical', 2, 'phrase hit', 'phrase, typical'),
    speed('payee hit ÷ phrase hit', 0.9, 'payee hit', 'phrase hit'),
    speed('id ÷ raw D1 read', 0.85, 'id', 'raw D1 by id'),
    speed('email ÷ raw D1 read', 0.85, 'email', 'raw D1 by email'),
    speed('list of 50 ÷ raw D1 read', 0.75, 'list', 'raw D1 list'),
    cost('CPU, phrase hit ÷ constant JSON', 2, 'constant'),
    compare(
      rounds,
      'CPU, phrase hit less KV’s simulation ÷ constant JSON',
      'µs',
      2,
      (round) => cpu('phrase hit')(round) - cpu('raw KV')(round) + cpu('constant')(round),
      cpu('constant'),
      true,
    ),
    growth('phrase hit'),
    growth('id'),
    growth('email'),
  ];
}

function compareBatches(rounds: BatchRound[], bytes: number): Ratio[] {
  const speed = (
    what: string,
    target: number,
    top: (round: BatchRound) => number,
    bottom: (round: BatchRound) => number,
  ) => compare(rounds, what, 'a second', target, top, bottom);
  return [
    speed(
      'accept 10,000 ÷ typical',
      30,
      ({ ours }) => ours.accept,
      ({ typical }) => typical,
    ),
    speed(
      'consume ÷ raw insert',
      0.85,
      ({ ours }) => ours.consume,
      ({ bare }) => bare,
    ),
    speed(
      'consume at 1,000,000 ÷ into an empty bank',
      0.4,
      ({ large }) => large.consume,
      ({ ours }) => ours.consume,
    ),
    compare(
      rounds,
      'CPU, worst body of 10 MB ÷ 10,000 customers',
      'ms',
      2,
      ({ costs }) => costs.worst,
      ({ costs }) => costs.ordinary,
      true,
    ),
    {
      what: 'bytes stored per customer',
      ratio: bytes,
      spread: [bytes, bytes],
      target: 720,
      isMaximum: true,
      of: 'bytes',
    },
  ];
}

/** Fills the large bank with really staged rows. @returns bytes that a customer takes in D1 */
async function fill(large: BenchServer): Promise<number> {
  const { payloads } = await acceptAndConsume(large, 999);
  const size = async () => (await large.db.prepare('SELECT 1').run()).meta.size_after;
  const before = await size();
  const times = LARGE_BANK_CUSTOMERS / 1_000;
  await multiply(large.db, payloads[0] ?? '[]', times);
  return ((await size()) - before) / LARGE_BANK_CUSTOMERS;
}

async function bench(quick: boolean): Promise<Ratio[]> {
  const log = (text: string) => console.error(text);
  log('Building and starting …');
  const servers: Servers = {
    ours: await startServer('ours'),
    large: await startServer('ours'),
    ceiling: await startServer('ceiling'),
    typical: await startServer('typical'),
  };
  try {
    for (const server of Object.values(servers)) await prepare(server);
    log(`Filling a bank with ${LARGE_BANK_CUSTOMERS.toLocaleString('en')} customers …`);
    const bytes = await fill(servers.large);
    const [count, milliseconds] = quick ? [3, 700] : [9, 1_500];
    await playRound(servers, 500, false);
    const rounds: Round[] = [];
    const batches: BatchRound[] = [];
    for (let round = 0; round < count; round += 1) {
      log(`Round ${round + 1} of ${count} …`);
      rounds.push(await playRound(servers, milliseconds, round % 2 === 1));
      batches.push(await playBatches(servers, round));
    }
    return [...compareLookups(rounds), ...compareBatches(batches, bytes)];
  } finally {
    for (const { miniflare } of Object.values(servers)) await miniflare.dispose();
  }
}

const program = new Command('bench')
  .description('compare our Worker with the platform’s ceilings and a typical build')
  .option('--quick', 'fewer and shorter rounds')
  .option('--json', 'print JSON')
  .option('--picture <file>', 'write the result as an SVG')
  .action(async ({ quick = false, json, picture }) => {
    const ratios = await bench(quick);
    if (picture !== undefined) await writeFile(pathOfCaller(picture), toPicture(ratios));
    console.log(json ? JSON.stringify({ bank: BANK, ratios }, null, 2) : toTable(ratios));
    if (!json) console.log(`\n${ratios.filter(isMet).length} of ${ratios.length} targets are met.`);
  });

await run(program);
