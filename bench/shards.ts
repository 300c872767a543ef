/**
 * `npm run bench:shards [-- --shards 8 --rounds 61]`: lookups of the same banks with all of them in one shard, and spread
 * over several. The number of shards should change neither the CPU time of a lookup nor how many there are a second.
 */
import { Command } from 'commander';
import { BANK_SCOPES } from '../src/api-keys/scopes.ts';
import { MAX_SHARDS } from '../src/databases/first-words.ts';
import { run } from '../tools/lib/arguments.ts';
import {
  insertApiKeys,
  insertBank,
  insertCustomers,
  knownCustomers,
  migrate,
  withApiKey,
  type KnownCustomer,
} from './data.ts';
import { measure, type LoadRequest, type Measured } from './load.ts';
import { comparing } from './ratios.ts';
import { describeMachine, toTable } from './report.ts';
import { startServer, type BenchServer } from './servers.ts';

const CONNECTIONS = 8;
/** Short, because a machine that is shared changes its speed within seconds. */
const ROUND_MS = 800;

/** A cached phrase asks no shard. */
const LOOKUPS = ['id', 'email'] as const;
type By = (typeof LOOKUPS)[number];

/** A server, and the customers of each of its banks. */
interface Network {
  server: BenchServer;
  banks: KnownCustomer[][];
}

/** @param bankCount number of banks, which are dealt to the shards in turn */
async function startNetwork(shardCount: number, bankCount: number): Promise<Network> {
  const server = await startServer('ours', { shardCount });
  await migrate(server);
  const banks: KnownCustomer[][] = [];
  for (let bank = 0; bank < bankCount; bank += 1) {
    const shard = (bank % shardCount) + 1;
    const id = `bnk_bench_${bank}`;
    const customers = knownCustomers(`SHARD_${shard}`, bank);
    await insertBank(server, id, shard);
    await insertApiKeys(server, String(bank), id, BANK_SCOPES.join(' '));
    const db = server.shards[shard - 1];
    if (db !== undefined) await insertCustomers(db, id, customers);
    banks.push(customers);
  }
  return { server, banks };
}

/** @returns the nth lookup, which is of another bank than the one before */
function lookup({ banks }: Network, by: By): (n: number) => LoadRequest {
  return (n) => {
    const bank = n % banks.length;
    const turn = Math.floor(n / banks.length);
    const customers = banks[bank] ?? [];
    const value = customers[turn % customers.length]?.[by];
    return { path: `/v1/bank/customer?${by}=${value}`, headers: withApiKey(String(bank), turn) };
  };
}

type Round = Record<By, { one: Measured; several: Measured }>;

/** @param isReversed alternates, so that no network always follows the same one */
async function playRound(networks: { one: Network; several: Network }, isReversed: boolean): Promise<Round> {
  const round: Partial<Round> = {};
  for (const by of LOOKUPS) {
    const measured: Partial<Round[By]> = {};
    for (const name of isReversed ? (['several', 'one'] as const) : (['one', 'several'] as const)) {
      const { url, cpu } = networks[name].server;
      measured[name] = await measure(url, lookup(networks[name], by), ROUND_MS, CONNECTIONS, cpu);
    }
    round[by] = measured as Round[By];
  }
  return round as Round;
}

const program = new Command('bench:shards')
  .description('compare lookups of banks in one shard and in several')
  .option('--shards <number>', `number of shards, at most ${MAX_SHARDS}; there are as many banks`, Number, 8)
  .option('--rounds <number>', 'rounds, of whose ratios the median counts', Number, 61)
  .action(async ({ shards, rounds: count }: { shards: number; rounds: number }) => {
    const machine = describeMachine();
    const networks = { one: await startNetwork(1, shards), several: await startNetwork(shards, shards) };
    try {
      await playRound(networks, false);
      const rounds: Round[] = [];
      for (let round = 0; round < count; round += 1) {
        console.error(`Round ${round + 1} of ${count} …`);
        rounds.push(await playRound(networks, round % 2 === 1));
      }
      const compare = comparing(rounds);
      const microseconds = ({ cpu }: Measured) => (cpu ?? Number.NaN) * 1_000;
      const ratios = LOOKUPS.flatMap((by) => [
        compare(
          `CPU, ${by}, ${shards} shards ÷ 1`,
          'µs',
          { atMost: 1.05 },
          (round) => microseconds(round[by].several),
          (round) => microseconds(round[by].one),
        ),
        compare(
          `rate, ${by}, ${shards} shards ÷ 1`,
          'a second',
          { atLeast: 0.95 },
          (round) => round[by].several.rate,
          (round) => round[by].one.rate,
        ),
      ]);
      console.log(`${machine}\n\n${toTable(ratios)}`);
    } finally {
      for (const { server } of Object.values(networks)) await server.miniflare.dispose();
    }
  });

await run(program);
