/** The packages that banks install: their contents, and that they work where nothing else is installed. `npm run package`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { generateCustomers } from '../../tools/dev/customers.ts';
import { toCsv } from '../../tools/lib/csv.ts';
import { startServer, type Server } from '../../tools/dev/server.ts';
import { projectFolder } from '../../tools/lib/wrangler.ts';

const run = promisify(execFile);
const PHRASE = 'river-stone-ocean-coral';

let folder: string;
let server: Server;
let files: Record<'client' | 'cli', string[]>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peere-package-'));
  server = await startServer();
  files = { client: await packAndInstall('client'), cli: await packAndInstall('cli') };
});
after(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Packed {
  files: { path: string }[];
}

/** Installs a package from the archive of `npm pack`. @returns the files in the archive */
async function packAndInstall(name: string): Promise<string[]> {
  const args = ['pack', '-w', `packages/${name}`, '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: projectFolder });
  const listed = JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as Packed[] | Record<string, Packed>;
  const [packed] = Object.values(listed);
  const installed = join(folder, 'node_modules', '@peere', name);
  await mkdir(installed, { recursive: true });
  const archive = join(folder, `peere-${name}-${manifest.version}.tgz`);
  await run('tar', ['-xzf', archive, '-C', installed, '--strip-components=1']);
  return packed?.files.map(({ path }) => path) ?? [];
}

const manifestOf = async (name: string) =>
  JSON.parse(await readFile(join(folder, `node_modules/@peere/${name}/package.json`), 'utf8')) as {
    dependencies?: object;
  };

void describe('@peere/client', { timeout: 60_000 }, () => {
  void it('contains what it needs and nothing else', async () => {
    assert.deepEqual(files.client.toSorted(), [
      'README.md',
      'dist/LICENSE',
      'dist/client.d.ts',
      'dist/client.js',
      'dist/connection-errors.d.ts',
      'dist/dry-run.d.ts',
      'dist/errors.d.ts',
      'dist/fields.d.ts',
      'dist/transport.d.ts',
      'dist/types.d.ts',
      'package.json',
    ]);
    assert.equal((await manifestOf('client')).dependencies, undefined);
    const client = await readFile(join(folder, 'node_modules/@peere/client/dist/client.js'), 'utf8');
    assert.doesNotMatch(client, /\b(require\(|from ["'])/, 'the client imports nothing');
  });

  void it('has types that compile in another project', async () => {
    const program = `
      import { createClient, PeereError, type Customer, type PeereErrorCode } from '@peere/client';
      const peere = createClient({ url: 'https://x.example', key: 'k' });
      const found: Customer | null = await peere.getCustomer({ phrase: '${PHRASE}' });
      for await (const { phrase } of peere.listBatchCustomers('bat_x')) phrase.toUpperCase();
      const code: PeereErrorCode = new PeereError('NO_RESPONSE', '').code;
      // @ts-expect-error: one of the three must be given
      void peere.getCustomer({});
      // @ts-expect-error: a customer has an email
      void peere.createCustomers([{ clientRef: 'x' }]);
      export { found, code };`;
    await writeFile(join(folder, 'program.ts'), program);
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const options = {
      strict: true,
      noEmit: true,
      module: 'NodeNext',
      target: 'ES2023',
      lib: ['ES2023', 'DOM'],
      types: [],
    };
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['program.ts'] }),
    );
    await run(process.execPath, [join(projectFolder, 'node_modules/typescript/bin/tsc'), '-p', folder]);
  });

  void it('works in Node', async () => {
    const program = `
      import { createClient } from '@peere/client';
      const peere = createClient({ url: process.env.PEERE_URL, key: 'peere_test_lagos_full' });
      console.log((await peere.getCustomer({ phrase: '${PHRASE}' })).accountName);`;
    await writeFile(join(folder, 'program.mjs'), program);
    const { stdout } = await run(process.execPath, [join(folder, 'program.mjs')], {
      env: { ...process.env, PEERE_URL: server.url },
    });
    assert.equal(stdout.trim(), 'Adaobi Okafor');
  });
});

void describe('@peere/cli', { timeout: 60_000 }, () => {
  void it('contains what it needs and nothing else', async () => {
    assert.deepEqual(files.cli.toSorted(), [
      'README.md',
      'bin/peere-import.js',
      'bin/peere.js',
      'dist/LICENSE',
      'dist/LICENSES.txt',
      'dist/peere.js',
      'package.json',
    ]);
    assert.equal((await manifestOf('cli')).dependencies, undefined);
  });

  void it('says in one sentence what to do if it is not built', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    for (const name of ['peere.js', 'peere-import.js']) {
      await copyFile(join(projectFolder, 'packages/cli/bin', name), join(bin, name));
    }
    const { code, stderr } = await run(process.execPath, [join(bin, 'peere-import.js')]).then(
      () => assert.fail('it did not fail'),
      (error: { code: number; stderr: string }) => error,
    );
    assert.equal(code, 3);
    assert.match(stderr, /^peere is not built yet: run npm ci --ignore-scripts=false [^\n]+\n$/);
  });

  void it('imports a file where no other package is installed', async () => {
    await rm(join(folder, 'node_modules/@peere/client'), { recursive: true });
    await writeFile(join(folder, 'customers.csv'), toCsv(generateCustomers(1)));
    const program = join(folder, 'node_modules/@peere/cli/bin/peere-import.js');
    const { stdout } = await run(process.execPath, [program, 'customers.csv', '--url', server.url], {
      cwd: folder,
      env: { ...process.env, PEERE_API_KEY: 'peere_test_lagos_full' },
    });
    assert.match(stdout, /^1 row: 1 became a customer, 0 failed/);
  });
});
