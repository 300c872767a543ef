/** Local databases: tools use them while a server runs, and each start prepares them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { prepareLocalDatabase } from '../../tools/dev/local-database.ts';
import { fileOf, withLocalDatabases } from '../../tools/lib/local-d1.ts';

/** A program that writes for a second. */
const LOCK = `
  const server = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
  server.exec('BEGIN IMMEDIATE; INSERT INTO numbers VALUES (1)');
  console.log('locked');
  setTimeout(() => server.exec('COMMIT'), 1_000)`;

void describe('a local database that a server has locked', () => {
  let folder: string;
  const execute = async (statements: string) => {
    const work = () =>
      withLocalDatabases(folder, ['SHARD_1'], (run) => run<{ number: number }>('SHARD_1', statements));
    return (await work()).at(-1)?.results;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peere-local-d1-'));
    await execute('CREATE TABLE numbers (number)');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  void it('is waited for, and the statements are run once', async () => {
    const server = spawn(process.execPath, ['-e', LOCK, fileOf(folder, 'SHARD_1')]);
    await once(server.stdout, 'data');
    const rows = await execute('INSERT INTO numbers VALUES (2); SELECT number FROM numbers ORDER BY number');
    assert.deepEqual(rows, [{ number: 1 }, { number: 2 }]);
  });

  void it('can be read without waiting', async () => {
    const server = spawn(process.execPath, ['-e', LOCK, fileOf(folder, 'SHARD_1')]);
    await once(server.stdout, 'data');
    const rows = await execute('SELECT number FROM numbers ORDER BY number');
    assert.deepEqual(rows, [{ number: 1 }, { number: 2 }]);
    await once(server, 'exit');
  });
});

void describe('a local server that is started again', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peere-local-d1-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  void it('changes nothing of a bank that is being moved, because its copy is compared', async () => {
    const execute = (statements: string) =>
      withLocalDatabases(folder, ['SHARD_1'], (run) => run<Record<string, unknown>>('SHARD_1', statements));
    const readRows = async () =>
      (await execute('SELECT * FROM batches; SELECT * FROM batch_chunks; SELECT * FROM tenants')).map(
        ({ results }) => results,
      );
    await prepareLocalDatabase(folder);
    await execute(`
      INSERT INTO batch_chunks (bank_id, batch_id, chunk, first_index, last_index, row_count, next_send_at, payload)
      SELECT bank_id, id, 0, 0, 0, 1, 5, '[[0]]' FROM batches;
      UPDATE batches SET completed_at = 5;
      UPDATE tenants SET state = 'leaving'`);
    const moving = await readRows();
    await prepareLocalDatabase(folder);
    assert.deepEqual(await readRows(), moving);
    await execute("UPDATE tenants SET state = 'open'");
    await prepareLocalDatabase(folder);
    const [[batch] = [], [chunk] = []] = await readRows();
    assert.notEqual(batch?.['completed_at'], 5);
    assert.equal(chunk?.['next_send_at'], 0);
  });
});
