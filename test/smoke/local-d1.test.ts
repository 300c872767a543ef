/** Tools use the databases of a server that runs meanwhile. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { withLocalDatabases } from '../../tools/lib/local-d1.ts';

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
    const [file] = globSync(join(folder, 'v3/d1/*/*.sqlite')).filter((path) => !path.includes('metadata'));
    const server = new DatabaseSync(file ?? '');
    server.exec('BEGIN IMMEDIATE; INSERT INTO numbers VALUES (1)');
    const rows = execute('INSERT INTO numbers VALUES (2); SELECT number FROM numbers ORDER BY number');
    setTimeout(() => server.exec('COMMIT'), 2_000);
    assert.deepEqual(await rows, [{ number: 1 }, { number: 2 }]);
    server.close();
  });
});
