/** The tests of `npm run shard -- … --remote`. They follow those of the first deploy, on the account that it set up. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { CloudflareMock } from './cloudflare-mock.ts';

export interface Ended {
  code: number;
  output: string;
}

/** What the tests of the first deploy have set up. */
export interface Deployed {
  cloudflare: CloudflareMock;
  /** The project's folder. */
  clone: string;
  /** Runs a tool for administration. */
  tool: (name: string, ...args: string[]) => Promise<Ended>;
  /** Runs a tool, and kills it with all its processes once a change of this kind is made and before it hears of it. */
  killed: (change: RegExp, name: string, ...args: string[]) => Promise<void>;
  /** Runs `npm run deploy`. */
  deploy: () => Promise<Ended>;
}

const ONE_SENTENCE = /^[^\n]+\n$/;

export function describeRemoteShards(deployed: () => Deployed): void {
  const shard = (...args: string[]) => deployed().tool('shard', ...args, '--remote');
  const configFile = () => join(deployed().clone, 'wrangler.toml');
  const config = () => readFile(configFile(), 'utf8');
  const rows = <Row>(database: string, sql: string) => deployed().cloudflare.rows<Row>(database, sql);
  const shards = () =>
    rows('peere-directory', 'SELECT name, jurisdiction, closed FROM shards ORDER BY number');
  const databases = () => deployed().cloudflare.places.databases;
  const succeed = async (command: Promise<Ended>) => {
    const { code, output } = await command;
    assert.equal(code, 0, output);
    return output;
  };

  /** Runs a command that must fail with one sentence and change nothing. */
  async function refuses(sentence: RegExp, ...args: string[]): Promise<void> {
    const before = [await config(), await shards(), databases().length];
    const { code, output } = await shard(...args);
    assert.equal(code, 1, output);
    assert.match(output, sentence);
    assert.match(output, ONE_SENTENCE);
    assert.deepEqual([await config(), await shards(), databases().length], before);
  }

  void describe('npm run shard -- … --remote', { timeout: 1_800_000 }, () => {
    void it('adds one shard although it is killed at each of its steps', async () => {
      const before = await config();
      const add = ['add', '--jurisdiction', 'eu', '--remote'];
      for (const change of [/"POST \/d1\/database"/, /CREATE TABLE customers/, /INSERT INTO shards/]) {
        await deployed().killed(change, 'shard', ...add);
      }
      assert.match(await succeed(deployed().tool('shard', ...add)), /Next: npm run deploy/);
      assert.deepEqual(
        databases().map(({ name, jurisdiction }) => [name, jurisdiction]),
        [
          ['peere-directory', 'eu'],
          ['peere-shard-1', 'eu'],
          ['peere-shard-2', 'eu'],
        ],
      );
      assert.deepEqual(await shards(), [
        { name: 'SHARD_1', jurisdiction: 'eu', closed: 0 },
        { name: 'SHARD_2', jurisdiction: 'eu', closed: 1 },
      ]);
      const known = new Set(before.split('\n'));
      assert.deepEqual(
        (await config()).split('\n').filter((line) => !known.has(line)),
        [
          'binding = "SHARD_2"',
          'database_name = "peere-shard-2"',
          `database_id = "${String(databases()[2]?.['uuid'])}"`,
          'preview_database_id = "SHARD_2"',
        ],
      );
    });

    void it('opens it only when the Worker is bound to it, and puts the next bank there', async () => {
      await refuses(
        /^The deployed Worker is not bound to SHARD_2 yet: run npm run deploy first\./,
        'open',
        'SHARD_2',
      );
      await succeed(deployed().deploy());
      await succeed(shard('open', 'SHARD_2'));
      const bank = ['create', '--id', 'bnk_second', '--name', 'Second Bank', '--remote'];
      // The directory has the bank and its shard does not: as if the shard was down, until the command is run again.
      await deployed().killed(/INSERT INTO banks/, 'bank', ...bank, '--shard', 'SHARD_2');
      assert.deepEqual(await rows('peere-shard-2', 'SELECT * FROM tenants'), []);
      assert.match(await succeed(deployed().tool('bank', ...bank)), /Created bnk_second on SHARD_2/);
      assert.deepEqual(await rows('peere-shard-2', 'SELECT bank_id, state FROM tenants'), [
        { bank_id: 'bnk_second', state: 'open' },
      ]);
      assert.match(await succeed(shard('list')), /SHARD_2.*eu \(jurisdiction\).*open.*1 /);
      assert.match(await succeed(shard('check')), /agree/);
    });

    void it('refuses in one sentence, and changes nothing', async () => {
      await refuses(/^SHARD_2 exists already/, 'add', '--name', 'SHARD_2', '--jurisdiction', 'eu');
      await refuses(/^--name must be SHARD_2 to SHARD_17, not SHARD_18/, 'add', '--name', 'SHARD_18');
      await refuses(/'moon' is invalid/, 'add', '--location', 'moon');
      await refuses(/cannot be used with/, 'add', '--location', 'weur', '--jurisdiction', 'eu');
      await refuses(/^There is no shard SHARD_7/, 'close', 'SHARD_7');
      await rows('peere-shard-2', "INSERT INTO d1_migrations (name) VALUES ('9999_future.sql')");
      await refuses(/^SHARD_2 has the migration 9999_future\.sql, which this version lacks/, 'add');
      await rows('peere-shard-2', "DELETE FROM d1_migrations WHERE name = '9999_future.sql'");
    });

    void it('refuses a database that exists under its name with other tables, or in another place', async () => {
      const uuid = randomUUID();
      await deployed().cloudflare.addDatabase({ uuid, name: 'peere-shard-3', jurisdiction: null });
      await refuses(
        /^Database peere-shard-3 exists in jurisdiction \(none\), not eu/,
        'add',
        '--jurisdiction',
        'eu',
      );
      await rows('peere-shard-3', 'CREATE TABLE theirs (id)');
      await refuses(/^Database peere-shard-3 exists and has other tables than a shard/, 'add');
      deployed().cloudflare.removeDatabase(uuid);
    });

    void it('leaves every shard with the new tables after a later deploy, and never deploys without one', async () => {
      const migration = join(deployed().clone, 'migrations/shard/9999_test.sql');
      await writeFile(migration, 'CREATE TABLE added (id);');
      await refuses(/^SHARD_1 lacks the migration 9999_test\.sql.*npm run deploy/, 'add');
      await succeed(deployed().deploy());
      for (const name of ['peere-shard-1', 'peere-shard-2']) await rows(name, 'SELECT * FROM added');
      await rm(migration);

      const full = await config();
      await writeFile(configFile(), full.replace(/\[\[d1_databases\]\]\nbinding = "SHARD_2"\n(.+\n)+/, ''));
      deployed().cloudflare.changes.length = 0;
      const { code, output } = await deployed().deploy();
      assert.equal(code, 1);
      assert.match(output, /wrangler\.toml lacks SHARD_2, and a deploy would cut off the banks there/);
      assert.ok(!deployed().cloudflare.changes.some(({ what }) => what.includes('/workers/')));
      await writeFile(configFile(), full);
    });
  });
}
