/** Tools use the databases of a server that runs meanwhile. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
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
