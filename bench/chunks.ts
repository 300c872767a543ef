/**
 * `npm run bench:chunks [-- --rows 100,250 --consumers 1,5 --rounds 3]`: how many customers a chunk should have, and how
 * many consumers should run at once. Prints, for each combination, how fast lookups by id are while another bank's
 * chunks are applied, and how fast the import is. The numbers of LIMITS.chunkRows and `max_concurrency` come from here.
 */
import { Command } from 'commander';
import { run } from '../tools/lib/arguments.ts';
import { Lookups, measureBesideImport, type BesideImport } from './beside-import.ts';
import { prepare } from './data.ts';
import { startServer } from './servers.ts';
import { median } from './statistics.ts';

const numbers = (text: string) => text.split(',').map(Number);

const program = new Command('bench:chunks')
  .description('compare sizes of chunks and numbers of consumers')
  .option('--rows <numbers>', 'customers per chunk', numbers, [100, 200, 500, 1_000])
  .option('--consumers <numbers>', 'events of the queue that run at once', numbers, [1, 2, 5])
  .option('--rounds <number>', 'rounds, of whose results the median counts', Number, 3)
  .action(async ({ rows, consumers, rounds }: { rows: number[]; consumers: number[]; rounds: number }) => {
    const results: Record<string, string | number>[] = [];
    for (const chunkRows of rows) {
      const server = await startServer('chunked', { vars: { CHUNK_ROWS: chunkRows } });
      const lookups = new Lookups(server);
      try {
        await prepare(server);
        for (const atOnce of consumers) {
          const measured: BesideImport[] = [];
          for (let round = 0; round < rounds; round += 1)
            measured.push(await measureBesideImport(server, lookups, 'id', atOnce));
          const middle = (value: (one: BesideImport) => number) => Math.round(median(measured.map(value)));
          results.push({
            'rows per chunk': chunkRows,
            consumers: atOnce,
            'p50, ms': middle(({ apply }) => apply.p50),
            'p99, ms': middle(({ apply }) => apply.p99),
            'lookups a second': middle(({ apply }) => apply.rate),
            'p99 idle, ms': middle(({ idle }) => idle.p99),
            'lookups a second, idle': middle(({ idle }) => idle.rate),
            'customers a second beside lookups': middle(({ imported }) => imported.apply.beside),
            'customers a second alone': middle(({ imported }) => imported.apply.alone),
          });
          console.error(results.at(-1));
        }
      } finally {
        await lookups.close();
        await server.miniflare.dispose();
      }
    }
    console.table(results);
  });

await run(program);
