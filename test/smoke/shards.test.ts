/** `npm run shard` and `npm run bank -- create` on this machine. Part of `npm run smoke`. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { findDifferences } from '../../tools/admin/reconcile-tenants.ts';
import { startServer, type Server } from '../../tools/dev/server.ts';
import { generateCustomers } from '../../tools/dev/customers.ts';
import type { ShardName } from '../../tools/lib/shards.ts';
import { bindLocalShard, localShards } from '../../tools/lib/local-shards.ts';
import { d1, projectFolder } from '../../tools/lib/wrangler.ts';

const ONE_SENTENCE = /^[^\n]+\n$/;

let folder: string;
let server: Server | undefined;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peere-shards-'));
});
after(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const target = () => ({ remote: false as const, persistTo: folder });
const toolArguments = (name: string, ...args: string[]) => [
  `tools/admin/${name}.ts`,
  ...args,
  '--persist-to',
  folder,
];

/** @returns what a tool prints */
async function tool(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, toolArguments(name, ...args), {
    cwd: projectFolder,
  });
  return stdout;
}

const shards = () => d1(target(), 'DIRECTORY', 'SELECT name, location, closed FROM shards ORDER BY number');

/** Runs a command that must fail with one sentence. */
async function refuses(sentence: RegExp, name: string, ...args: string[]): Promise<void> {
  const failed = await promisify(execFile)(process.execPath, toolArguments(name, ...args), {
    cwd: projectFolder,
  }).then(
    () => assert.fail(`${args.join(' ')} did not fail`),
    (error: { stderr: string }) => error,
  );
  assert.match(failed.stderr, sentence);
  assert.match(failed.stderr, ONE_SENTENCE);
}

void describe('npm run shard', { timeout: 900_000 }, () => {
  void it('adds a shard without an account or a tracked file, also after it was killed on the way', async () => {
    const trackedFile = join(projectFolder, 'wrangler.toml');
    const tracked = await readFile(trackedFile, 'utf8');
    const child = spawn(process.execPath, toolArguments('shard', 'add', '--location', 'weur'), {
      cwd: projectFolder,
      detached: true,
      stdio: 'ignore',
    });
    // It is bound before its tables are created.
    while (!existsSync(join(folder, 'wrangler.json')) && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    const [, signal] = (await once(child, 'close')) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL');
    assert.match(await tool('shard', 'add', '--location', 'weur'), /^Added SHARD_2: weur\./);
    assert.deepEqual(await shards(), [
      { name: 'SHARD_1', location: null, closed: 0 },
      { name: 'SHARD_2', location: 'weur', closed: 0 },
    ]);
    assert.match(await tool('shard', 'list'), /SHARD_2.*weur.*open.*0\.\d MB.*0\.0 %/);
    assert.equal(await readFile(trackedFile, 'utf8'), tracked);
  });

  void it('refuses in one sentence, and changes nothing', async () => {
    const known = await shards();
    await refuses(/^SHARD_2 exists already/, 'shard', 'add', '--name', 'SHARD_2');
    await refuses(/^SHARD_1 exists already/, 'shard', 'add', '--name', 'SHARD_1');
    await refuses(/^--name must be SHARD_2 to SHARD_17, not shard_3/, 'shard', 'add', '--name', 'shard_3');
    await refuses(/'mars' is invalid/, 'shard', 'add', '--location', 'mars');
    await refuses(/^There is no shard SHARD_9/, 'shard', 'close', 'SHARD_9');
    const bank = ['bank', 'create', '--id', 'bnk_new', '--name', 'New Bank'] as const;
    await refuses(/^There is no shard SHARD_9/, ...bank, '--shard', 'SHARD_9');
    await refuses(
      /^There is no open shard of jurisdiction eu that has room/,
      ...bank,
      '--jurisdiction',
      'eu',
    );
    await refuses(
      /^SHARD_2 is not in jurisdiction eu/,
      ...bank,
      '--shard',
      'SHARD_2',
      '--jurisdiction',
      'eu',
    );
    await tool('shard', 'close', 'SHARD_2');
    await refuses(/^SHARD_2 is closed to new banks/, ...bank, '--shard', 'SHARD_2');
    await tool('shard', 'open', 'SHARD_2');
    await d1(target(), 'SHARD_2', "DELETE FROM d1_migrations WHERE name LIKE '0004%'");
    await refuses(/^SHARD_2 lacks the migration 0004_/, 'shard', 'add');
    await d1(target(), 'SHARD_2', "INSERT INTO d1_migrations (name) VALUES ('0004_events_and_webhooks.sql')");
    assert.deepEqual([await shards(), await localShards(folder)], [known, ['SHARD_1', 'SHARD_2']]);
  });

  void it('has the next bank on the emptiest shard, where the server finds it', async () => {
    const bank = ['create', '--id', 'bnk_second', '--name', "Second's Bank"] as const;
    // As if a first try was killed between its two rows.
    await d1(
      target(),
      'DIRECTORY',
      "INSERT INTO banks (id, name, shard, created_at) VALUES ('bnk_half', 'Half', 'SHARD_2', 1)",
    );
    assert.match(
      await tool('bank', 'create', '--id', 'bnk_half', '--name', 'Half'),
      /^Created bnk_half on SHARD_2/,
    );
    await refuses(/^Bank bnk_half exists already/, 'bank', 'create', '--id', 'bnk_half', '--name', 'Half');
    assert.match(await tool('bank', ...bank, '--shard', 'SHARD_2'), /^Created bnk_second on SHARD_2/);
    assert.match(await tool('bank', 'create', '--id', 'bnk_third', '--name', 'Third'), /on SHARD_[12]/);
    const scopes = ['--scopes', 'customers:read,customers:write'];
    const printed = await tool('key', 'create', '--bank', 'bnk_second', '--name', 'x', ...scopes);
    const key = /peere_test_\S+/.exec(printed)?.[0] ?? '';
    server = await startServer(folder);
    const accepted = await fetch(`${server.url}/v1/bank/customers`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ customers: generateCustomers(5) }),
    });
    const { data } = (await accepted.json()) as { data: { summary: { successful: number } } };
    assert.ok(data.summary.successful > 0);
    const count = () =>
      d1<{ n: number }>(
        target(),
        'SHARD_2',
        "SELECT count(*) AS n FROM customers WHERE bank_id = 'bnk_second'",
      );
    while ((await count())[0]?.n !== data.summary.successful)
      await new Promise((resolve) => setTimeout(resolve, 200));
    assert.match(await tool('bank', 'list'), /bnk_second.*SHARD_2/);
  });

  void it('refuses an 18th shard', async () => {
    const numbers = Array.from({ length: 15 }, (_, index) => index + 3);
    const values = numbers.map((number) => `('SHARD_${number}', ${number}, 1, 1)`);
    await d1(
      target(),
      'DIRECTORY',
      `INSERT INTO shards (name, number, closed, created_at) VALUES ${values.join()}`,
    );
    for (const number of numbers) await bindLocalShard(folder, `SHARD_${number}`);
    await refuses(/^There are 17 shards already/, 'shard', 'add');
    await refuses(/^--name must be SHARD_2 to SHARD_17, not SHARD_18/, 'shard', 'add', '--name', 'SHARD_18');
  });
});

void describe('npm run shard -- check', () => {
  const tenant = (shard: ShardName, state: string, move_number: number) => ({
    bank_id: 'bnk_a',
    shard,
    state,
    move_number,
  });
  const placed = (shard: ShardName, move_number: number) => [{ id: 'bnk_a', shard, move_number }];
  const move = (number: number, source: ShardName, phase: string) => ({
    number,
    bank_id: 'bnk_a',
    source,
    phase,
  });
  const there = [tenant('SHARD_1', 'moved', 1), tenant('SHARD_2', 'open', 1)];
  const done = [move(1, 'SHARD_1', 'done')];

  void it('finds nothing where the newest move agrees with the directory', () => {
    assert.deepEqual(findDifferences(placed('SHARD_2', 1), there, done), []);
    assert.deepEqual(findDifferences(placed('SHARD_1', 0), [tenant('SHARD_1', 'open', 0)], []), []);
  });

  void it('corrects a directory that was restored to a time before a move', () => {
    const [difference, ...others] = findDifferences(placed('SHARD_1', 0), there, []);
    assert.deepEqual(others, []);
    assert.deepEqual(difference?.repair, [
      {
        database: 'DIRECTORY',
        sql: "UPDATE banks SET shard = 'SHARD_2', move_number = 1 WHERE id = 'bnk_a'",
      },
    ]);
  });

  void it('removes a bank again from a shard that was restored to a time before the bank left', () => {
    const back = [tenant('SHARD_1', 'open', 0), tenant('SHARD_2', 'open', 1)];
    const [difference, ...others] = findDifferences(placed('SHARD_2', 1), back, done);
    assert.deepEqual(others, []);
    assert.deepEqual(
      difference?.repair.map(({ database, sql }) => [database, sql]),
      [
        ['SHARD_1', "UPDATE tenants SET state = 'moved', move_number = 1 WHERE bank_id = 'bnk_a'"],
        ['DIRECTORY', "UPDATE bank_moves SET phase = 'cleaning' WHERE number = 1"],
      ],
    );
  });

  const forSomebody: [string, ReturnType<typeof findDifferences>][] = [
    ['a move is under way', findDifferences(placed('SHARD_1', 0), there, [move(1, 'SHARD_1', 'copying')])],
    ['no shard has the bank', findDifferences(placed('SHARD_1', 0), [], [])],
    ['the directory does not have the bank', findDifferences([], there, [])],
    [
      'its shard was restored to a time before it came',
      findDifferences(placed('SHARD_2', 1), there.slice(0, 1), done),
    ],
    [
      'a copy is open and no move has left there',
      findDifferences(placed('SHARD_2', 1), [tenant('SHARD_3', 'open', 0), ...there], done),
    ],
  ];
  for (const [when, differences] of forSomebody) {
    void it(`changes nothing and leaves it to somebody when ${when}`, () => {
      assert.deepEqual(
        differences.map(({ repair }) => repair),
        [[]],
      );
    });
  }

  void it(
    'reads the databases, repairs them, and then finds that they agree',
    { timeout: 300_000 },
    async () => {
      await d1(
        target(),
        'DIRECTORY',
        `DELETE FROM shards WHERE number > 2;
       INSERT INTO bank_moves (number, bank_id, source, target, phase, started_at, updated_at)
       VALUES (7, 'bnk_second', 'SHARD_1', 'SHARD_2', 'done', 1, 1)`,
      );
      await d1(target(), 'SHARD_2', "UPDATE tenants SET move_number = 7 WHERE bank_id = 'bnk_second'");
      await d1(target(), 'SHARD_1', "INSERT INTO tenants (bank_id, state) VALUES ('bnk_second', 'open')");
      await refuses(/^2 differences are left: keep traffic out/, 'shard', 'check');
      await tool('shard', 'check', '--repair');
      assert.match(await tool('shard', 'check'), /agree/);
      assert.deepEqual(
        await d1(target(), 'DIRECTORY', "SELECT shard, move_number FROM banks WHERE id = 'bnk_second'"),
        [{ shard: 'SHARD_2', move_number: 7 }],
      );
    },
  );
});
