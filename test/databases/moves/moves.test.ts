/** Moves of a bank from one shard to another, step by step, whatever fails. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { Databases } from '../../../src/databases/databases.ts';
import { shardOfPhrase } from '../../../src/databases/first-words.ts';
import { advanceMoves } from '../../../src/databases/moves/driver.ts';
import { copiedTables, removedTables } from '../../../src/databases/moves/moved-tables.store.ts';
import { abortMove } from '../../../src/databases/moves/moves.store.ts';
import { executeBatch, type Database } from '../../../src/db/statements.ts';
import { systemRuntime } from '../../../src/runtime.ts';
import { ACCRA, API_KEYS, LAGOS } from '../../support/banks.ts';
import { sentCustomer } from '../../support/customers.ts';
import { connectionLost, d1Error, interceptCalls } from '../../support/faulty-bindings.ts';
import { Service } from '../../support/service.ts';
import * as moving from './moving.ts';

const { beginMove, dumpBank, fillBank, finishMove, latestMove, later, moveBank, moveDeps, movedRows } =
  moving;

const tenantIn = (shard: moving.ShardName, bankId = LAGOS) =>
  env[shard].prepare('SELECT state, move_number FROM tenants WHERE bank_id = ?').bind(bankId).first();

const bankRow = (bankId = LAGOS) =>
  env.DIRECTORY.prepare('SELECT shard, move_number FROM banks WHERE id = ?').bind(bankId).first();

/** Wraps every database of a driver. */
function onAll(wrap: (db: Database, name: string) => Database) {
  return {
    databases: {
      directory: wrap(env.DIRECTORY, 'DIRECTORY'),
      primary: (shard: string) => wrap(env[shard as moving.ShardName], shard),
    },
  };
}

/** Those of a Worker that was deployed before SHARD_2, which says so as the service does. */
const withoutTarget = {
  databases: new Databases({ ...env, SHARD_2: undefined }, systemRuntime.timer),
};

/** Runs the driver until the move is in this phase. */
async function advanceTo(phase: string): Promise<void> {
  const stop = new Error('the test stops here');
  for (let run = 0; (await latestMove()).phase !== phase; run += 1) {
    if (run > 20) throw new Error(`The move does not become ${phase}.`);
    const wrapped = onAll((db) =>
      interceptCalls(db, async (work) => {
        if ((await latestMove()).phase === phase) throw stop;
        return work();
      }),
    );
    await advanceMoves(moveDeps({ ...wrapped, runtime: { ...moveDeps().runtime, now: later(run) } }));
  }
}

const rowCounts = async (shard: moving.ShardName, bankId = LAGOS) => {
  const { tenants: _, retired_phrases: __, ...rows } = await dumpBank(shard, bankId);
  return Object.values(rows).reduce((sum, table) => sum + table.length, 0);
};

describe('a move', () => {
  it('knows every table that has rows of banks', async () => {
    const known = removedTables().map(({ name }) => name);
    expect([...known, 'tenants', 'retired_phrases'].toSorted()).toEqual(await moving.tablesOfBanks());
  });

  it('knows the primary key and every column of what it copies', async () => {
    for (const { name, key, values, payload } of copiedTables()) {
      const { results } = await env.SHARD_1.prepare(`PRAGMA table_info(${name})`).all<{
        name: string;
        pk: number;
      }>();
      const inKey = results.filter(({ pk }) => pk > 0).toSorted((one, other) => one.pk - other.pk);
      expect(['bank_id', ...key]).toEqual(inKey.map((column) => column.name));
      const columns = ['bank_id', ...key, ...values, ...(payload === null ? [] : [payload])];
      expect(columns.toSorted()).toEqual(results.map((column) => column.name).toSorted());
    }
  });

  it('takes every row of the bank along, leaves a tombstone, and touches no other bank', async () => {
    const service = new Service();
    await fillBank(service);
    await service.createCustomer(sentCustomer(50), API_KEYS.other);
    const [before, others] = [await dumpBank('SHARD_1'), await dumpBank('SHARD_1', ACCRA)];
    const empty = Object.entries(before).filter(([, rows]) => rows.length === 0);
    expect(empty.map(([table]) => table)).toEqual(['retired_phrases']);

    await moveBank('SHARD_2', LAGOS, moving.SMALL_RANGES);

    const after = await dumpBank('SHARD_2');
    expect(movedRows(after)).toEqual(movedRows(before));
    expect(after['tenants']).toEqual([{ ...before['tenants']?.[0], state: 'open', move_number: 1 }]);
    expect(await rowCounts('SHARD_1')).toBe(0);
    expect(await tenantIn('SHARD_1')).toEqual({ state: 'moved', move_number: 1 });
    expect(await bankRow()).toEqual({ shard: 'SHARD_2', move_number: 1 });
    expect(await dumpBank('SHARD_1', ACCRA)).toEqual(others);
    expect(await rowCounts('SHARD_2', ACCRA)).toBe(0);
  });

  it('brings everything back, and the phrases that it took along', async () => {
    const service = new Service();
    await fillBank(service);
    const before = await dumpBank('SHARD_1');
    await moveBank('SHARD_2');
    await moveBank('SHARD_1');
    expect(movedRows(await dumpBank('SHARD_1'))).toEqual(movedRows(before));
    expect(await rowCounts('SHARD_2')).toBe(0);
    expect(await tenantIn('SHARD_1')).toEqual({ state: 'open', move_number: 2 });
    expect(await bankRow()).toEqual({ shard: 'SHARD_1', move_number: 2 });
  });
});

describe('a phrase', () => {
  /** Gives the customers in SHARD_1 phrases as this shard gives them. */
  const givePhrasesOf = (shard: moving.ShardName) =>
    env.SHARD_1.prepare("UPDATE customers SET phrase = ? || '-' || substr(id, -3) || '-zoo-zoo'")
      .bind(moving.ownWord(shard))
      .run();
  const insert = (bankId: string, phrase: unknown) =>
    env.SHARD_1.prepare(
      `INSERT INTO customers (bank_id, id, phrase, email, account_name, firstname, lastname, country, sealed_fields,
         client_ref, batch_index, created_at) VALUES (?, 'cus_1', ?, 'e', 'a', 'f', 'l', 'NG', 's', 'c', 0, 0)`,
    )
      .bind(bankId, phrase)
      .run();

  it('that a bank took along is given to nobody, and comes back with the bank alone', async () => {
    const service = new Service();
    await service.createCustomer();
    await givePhrasesOf('SHARD_1');
    const phrase = await env.SHARD_1.prepare('SELECT phrase FROM customers').first('phrase');
    await moveBank('SHARD_2');
    await expect(insert(ACCRA, phrase)).rejects.toThrow('UNIQUE constraint failed: customers.phrase');
    await expect(insert(LAGOS, phrase)).rejects.toThrow('UNIQUE constraint failed: customers.phrase');
    await moveBank('SHARD_1');
    expect(await env.SHARD_1.prepare('SELECT phrase FROM customers').first('phrase')).toBe(phrase);
  });

  it('that a bank took along and back stays retired when its customer is erased', async () => {
    const service = new Service();
    const { id } = await service.createCustomer();
    await givePhrasesOf('SHARD_1');
    const phrase = await env.SHARD_1.prepare('SELECT phrase FROM customers').first('phrase');
    await moveBank('SHARD_2');
    await moveBank('SHARD_1');
    expect((await service.eraseCustomer(id)).status).toBe(200);
    expect((await dumpBank('SHARD_1'))['customers']).toEqual([]);
    const retired = await env.SHARD_1.prepare('SELECT phrase, bank_id FROM retired_phrases').all();
    expect(retired.results).toEqual([{ phrase, bank_id: null }]);
  });

  it('of another shard is not retired where the bank leaves', async () => {
    const service = new Service();
    await service.createCustomer();
    await givePhrasesOf('SHARD_2');
    await moveBank('SHARD_2');
    expect((await dumpBank('SHARD_1'))['retired_phrases']).toEqual([]);
  });

  it('of a staged customer becomes one of the target’s', async () => {
    const service = new Service();
    await service.post([sentCustomer(1), sentCustomer(2)]);
    await moveBank('SHARD_2');
    const [chunk] = (await dumpBank('SHARD_2'))['batch_chunks'] ?? [];
    const phrases = JSON.parse(chunk?.['payload'] as string).map((row: string[]) => row[2]);
    expect(phrases).toHaveLength(2);
    for (const phrase of phrases) expect(shardOfPhrase(phrase)).toBe('SHARD_2');
  });

  it('is not given to a staged customer that was erased', async () => {
    const service = new Service();
    const { body } = await service.post([sentCustomer(1), sentCustomer(2)]);
    await service.eraseCustomer(body.data.data.customerIds[0]);
    await moveBank('SHARD_2');
    const [chunk] = (await dumpBank('SHARD_2'))['batch_chunks'] ?? [];
    expect(JSON.parse(chunk?.['payload'] as string)[0]).toEqual([0]);
  });
});

/** Gives Lagos a customer and an open batch. */
async function fillLittle(service: Service): Promise<void> {
  await service.createCustomer();
  await service.post([sentCustomer(1)]);
}

describe('every step of a move', () => {
  it('may throw before or after it takes effect', async () => {
    await fillLittle(new Service());
    const before = await dumpBank('SHARD_1');
    const seen = new Set<string>();
    let failures = 0;
    // Every fourth statement fails when it is first made; the simulation fails them all.
    const wrapped = onAll((db, name) =>
      interceptCalls(db, async (work, sql) => {
        const isFirst = !seen.has(name + sql);
        seen.add(name + sql);
        if (!isFirst || seen.size % 4 !== 0) return work();
        failures += 1;
        if (failures % 2 === 0) await work();
        throw connectionLost();
      }),
    );
    await moveBank('SHARD_2', LAGOS, wrapped);
    expect(failures).toBeGreaterThan(10);
    expect((await latestMove()).phase).toBe('done');
    expect(movedRows(await dumpBank('SHARD_2'))).toEqual(movedRows(before));
    expect(await rowCounts('SHARD_1')).toBe(0);
  });

  it('changes nothing when it arrives late, also after the bank has moved back', async () => {
    await fillLittle(new Service());
    const late: (() => Promise<unknown>)[] = [];
    const state = async () =>
      JSON.stringify([
        await dumpBank('SHARD_1'),
        await dumpBank('SHARD_2'),
        await bankRow(),
        (await env.DIRECTORY.prepare('SELECT number, phase FROM bank_moves').all()).results,
      ]);
    const recorded = onAll((db) =>
      interceptCalls(db, async (work, sql) => {
        if (/\b(INSERT|UPDATE|DELETE)\b/.test(sql)) late.push(work);
        return work();
      }),
    );
    for (const target of ['SHARD_2', 'SHARD_1'] as const) {
      await moveBank(target, LAGOS, recorded);
      const before = await state();
      for (const arrive of late) await arrive();
      expect(await state()).toBe(before);
    }
    expect(late.length).toBeGreaterThan(30);
  });

  it('begins only when the target answers, so that no change waits for a shard that is down', async () => {
    await beginMove('SHARD_2');
    const targetDown = onAll((db, name) =>
      interceptCalls(db, (work) => (name === 'SHARD_2' ? Promise.reject(connectionLost()) : work())),
    );
    await advanceMoves(moveDeps(targetDown));
    expect(await latestMove()).toMatchObject({ phase: 'copying', frozenAt: null });
    expect(await tenantIn('SHARD_1')).toEqual({ state: 'open', move_number: 0 });
    await finishMove();
    expect((await latestMove()).phase).toBe('done');
  });

  it('waits for a Worker that knows the target', async () => {
    await beginMove('SHARD_2');
    await advanceMoves(moveDeps(withoutTarget));
    expect(await latestMove()).toMatchObject({ phase: 'copying', frozenAt: null, error: null });
    expect(await tenantIn('SHARD_1')).toEqual({ state: 'open', move_number: 0 });
    await advanceTo('verifying');
    await advanceMoves(moveDeps(withoutTarget));
    expect(await latestMove()).toMatchObject({ phase: 'verifying', error: null });
    await finishMove();
    expect((await latestMove()).phase).toBe('done');
  });

  it('may be made by two drivers at once', async () => {
    await fillLittle(new Service());
    const before = await dumpBank('SHARD_1');
    await beginMove('SHARD_2');
    for (let run = 0; (await latestMove()).phase !== 'done'; run += 1) {
      const deps = moveDeps({ runtime: { ...moveDeps().runtime, now: later(run) } });
      await Promise.all([advanceMoves(deps), advanceMoves(deps)]);
      expect(run).toBeLessThan(60);
    }
    expect(movedRows(await dumpBank('SHARD_2'))).toEqual(movedRows(before));
    expect(await rowCounts('SHARD_1')).toBe(0);
  });

  it('pauses after each range, so that other requests get their turn', async () => {
    await new Service().createCustomers(Array.from({ length: 10 }, (_, number) => sentCustomer(number)));
    let pauses = 0;
    const sleep = async () => void (pauses += 1);
    await moveBank('SHARD_2', LAGOS, {
      ...moving.SMALL_RANGES,
      runtime: { ...moveDeps().runtime, sleep },
    });
    // Five ranges of customers are copied, compared and, but for the last one, removed.
    expect(pauses).toBeGreaterThanOrEqual(14);
  });

  it('handles no more bytes at once than a range may have, whether it copies or compares', async () => {
    const customers = Array.from({ length: 10 }, (_, number) => sentCustomer(number));
    await new Service().createCustomers(customers);
    let pauses = 0;
    const sleep = async () => void (pauses += 1);
    await moveBank('SHARD_2', LAGOS, {
      moveRange: { rows: 1_000, bytes: 1 },
      runtime: { ...moveDeps().runtime, sleep },
    });
    expect(pauses).toBeGreaterThanOrEqual(2 * customers.length);
  });

  it('compares ranges of open chunks, whose phrases have another length in the target', async () => {
    const service = new Service();
    for (let number = 0; number < 4; number += 1) await service.post([sentCustomer(number)]);
    await beginMove('SHARD_2');
    await advanceTo('verifying');
    await env.SHARD_2.prepare(
      "UPDATE batch_chunks SET payload = json_replace(payload, '$[0][2]', hex(zeroblob(1000)))",
    ).run();
    await finishMove({ moveRange: { rows: 1_000, bytes: 1_000 } });
    expect(await latestMove()).toMatchObject({ phase: 'done', error: null });
  });

  it('is left to the next run when the budget of this one is used up', async () => {
    await fillLittle(new Service());
    const before = await dumpBank('SHARD_1');
    await beginMove('SHARD_2');
    let now = Date.now();
    // Ten pauses follow a range that others wait for, so one range ends a run.
    const sleep = async () => void (now += 5_000);
    const runtime = { ...moveDeps().runtime, now: () => now, sleep };
    let runs = 0;
    for (; (await latestMove()).phase !== 'done'; runs += 1) {
      await advanceMoves(moveDeps({ ...moving.SMALL_RANGES, runtime }));
      now += 60_000;
      expect(runs).toBeLessThan(100);
    }
    expect(runs).toBeGreaterThan(10);
    expect(movedRows(await dumpBank('SHARD_2'))).toEqual(movedRows(before));
  });
});

describe('an aborted move', () => {
  it.each(['copying', 'switching'])('in the phase %s leaves the bank where it was', async (phase) => {
    await fillLittle(new Service());
    const before = await dumpBank('SHARD_1');
    const { number } = await beginMove('SHARD_2');
    await advanceTo(phase);
    const { aborted } = await executeBatch(
      env.DIRECTORY,
      abortMove({ number, bankId: LAGOS }, 'by hand', Date.now()),
    );
    expect(aborted).toHaveLength(1);
    await finishMove();
    expect(await latestMove()).toMatchObject({ phase: 'aborted', error: 'by hand' });
    expect(movedRows(await dumpBank('SHARD_1'))).toEqual(movedRows(before));
    expect(await tenantIn('SHARD_1')).toEqual({ state: 'open', move_number: number });
    expect(await bankRow()).toEqual({ shard: 'SHARD_1', move_number: number });
    expect(await tenantIn('SHARD_2')).toEqual({ state: 'moved', move_number: number });
    expect(await rowCounts('SHARD_2')).toBe(0);
    await moveBank('SHARD_2');
    expect(movedRows(await dumpBank('SHARD_2'))).toEqual(movedRows(before));
  });

  it('opens the source again, although the Worker does not know the target', async () => {
    const { number } = await beginMove('SHARD_2');
    await advanceTo('verifying');
    await executeBatch(env.DIRECTORY, abortMove({ number, bankId: LAGOS }, 'by hand', Date.now()));
    await advanceMoves(moveDeps(withoutTarget));
    expect(await tenantIn('SHARD_1')).toEqual({ state: 'open', move_number: number });
  });

  it('can’t be one that is decided', async () => {
    const { number } = await beginMove('SHARD_2');
    await advanceTo('switched');
    const { aborted } = await executeBatch(
      env.DIRECTORY,
      abortMove({ number, bankId: LAGOS }, 'late', Date.now()),
    );
    expect(aborted).toEqual([]);
    await finishMove();
    expect(await bankRow()).toEqual({ shard: 'SHARD_2', move_number: number });
  });

  it.each([
    [
      'a row too many',
      "INSERT INTO events VALUES ('bnk_lagos', 99, 't', '{}', 0)",
      'the copy of events differs from the source: a range has 0 rows there, and its copy 1',
    ],
    [
      'a staged value that differs',
      `UPDATE batch_chunks SET payload = replace(payload, 'Adaobi', 'Somebody')`,
      'the copy of batch_chunks differs from the source: a range has 2 rows there, and its copy 2',
    ],
  ])('is one whose comparison finds %s', async (_, difference, error) => {
    await fillLittle(new Service());
    const before = await dumpBank('SHARD_1');
    await beginMove('SHARD_2');
    await advanceTo('verifying');
    await env.SHARD_2.prepare(difference).run();
    await finishMove();
    const move = await latestMove();
    expect(move.phase).toBe('aborted');
    expect(move.error).toBe(error);
    expect(movedRows(await dumpBank('SHARD_1'))).toEqual(movedRows(before));
    expect(await tenantIn('SHARD_1')).toEqual({ state: 'open', move_number: 1 });
    expect(await rowCounts('SHARD_2')).toBe(0);
  });

  it('is one whose target is full, and the source does not wait until the target is emptied', async () => {
    await new Service().createCustomer();
    await beginMove('SHARD_2');
    const full = onAll((db, name) =>
      interceptCalls(db, async (work, sql) => {
        if (name === 'SHARD_2' && /INSERT|DELETE/.test(sql)) throw d1Error('Exceeded maximum DB size');
        return work();
      }),
    );
    await advanceMoves(moveDeps(full));
    expect(await latestMove()).toMatchObject({ phase: 'aborting' });
    expect(await tenantIn('SHARD_1')).toEqual({ state: 'open', move_number: 1 });
    await finishMove();
    expect((await latestMove()).phase).toBe('aborted');
  });
});

describe('moves of several banks', () => {
  it('wait for each other if they share a shard', async () => {
    await beginMove('SHARD_2', LAGOS);
    await beginMove('SHARD_2', ACCRA);
    await advanceMoves(moveDeps());
    expect(await tenantIn('SHARD_1', LAGOS)).toEqual({ state: 'moved', move_number: 1 });
    expect(await tenantIn('SHARD_1', ACCRA)).toEqual({ state: 'open', move_number: 0 });
    // The first one only waits until its old rows may be removed.
    await advanceMoves(moveDeps());
    expect(await tenantIn('SHARD_1', ACCRA)).toEqual({ state: 'moved', move_number: 2 });
  });

  it('go on for a bank that waits before old rows are removed from the same shard', async () => {
    await new Service().createCustomers([sentCustomer(0), sentCustomer(1)], API_KEYS.other);
    await beginMove('SHARD_2', LAGOS);
    await advanceMoves(moveDeps());
    await beginMove('SHARD_2', ACCRA);
    let now = Date.now() + 60_000;
    // So a run ends after one range.
    const sleep = async () => void (now += 60_000);
    const runtime = { ...moveDeps().runtime, now: () => now, sleep };
    const deps = moveDeps({ moveRange: { rows: 1, bytes: 100_000 }, runtime });
    await advanceMoves(deps);
    expect(await latestMove(ACCRA)).toMatchObject({ phase: 'copying', copiedRows: 1 });
    now += 5 * 60_000;
    await advanceMoves(deps);
    expect(await latestMove(ACCRA)).toMatchObject({ phase: 'copying', copiedRows: 2 });
    expect((await latestMove(LAGOS)).phase).toBe('cleaning');
    await finishMove();
  });

  it('are refused for a bank whose last one is not over, and for a closed or foreign shard', async () => {
    await env.DIRECTORY.prepare("UPDATE shards SET closed = 1 WHERE name = 'SHARD_2'").run();
    await expect(beginMove('SHARD_2')).rejects.toThrow('refused');
    await env.DIRECTORY.prepare(
      "UPDATE shards SET closed = 0, jurisdiction = 'eu' WHERE name = 'SHARD_2'",
    ).run();
    await expect(beginMove('SHARD_2')).rejects.toThrow('refused');
    await env.DIRECTORY.prepare("UPDATE shards SET jurisdiction = NULL WHERE name = 'SHARD_2'").run();
    await expect(beginMove('SHARD_1')).rejects.toThrow('refused');
    await beginMove('SHARD_2');
    await expect(beginMove('SHARD_2')).rejects.toThrow('refused');
  });

  it('have numbers that rise, also after the directory was restored', async () => {
    await env.DIRECTORY.prepare('UPDATE banks SET move_number = 7 WHERE id = ?').bind(ACCRA).run();
    expect((await beginMove('SHARD_2')).number).toBe(8);
  });
});
