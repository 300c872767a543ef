/** The package that banks install: what is in it, and that it works where only it is. `npm run package`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { startServer, type Server } from '../../tools/server.ts';
import { projectFolder } from '../../tools/wrangler.ts';

const run = promisify(execFile);
const PHRASE = 'river-stone-ocean-coral';

let folder: string;
let server: Server;
let files: string[];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peere-package-'));
  server = await startServer();
  const { stdout } = await run('npm', ['pack', '-w', 'client', '--json', '--pack-destination', folder], {
    cwd: projectFolder,
  });
  const listed = JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as Packed[] | Record<string, Packed>;
  const [packed] = Object.values(listed);
  files = packed?.files.map(({ path }) => path) ?? [];
  const installed = join(folder, 'node_modules', '@peere', 'client');
  await mkdir(installed, { recursive: true });
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  await run('tar', ['-xzf', join(folder, archive), '-C', installed, '--strip-components=1']);
});
after(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Packed {
  files: { path: string }[];
}

void describe('the package', { timeout: 60_000 }, () => {
  void it('holds what it needs, and nothing else', async () => {
    assert.deepEqual(files.toSorted(), [
      'README.md',
      'bin/peere-import.js',
      'dist/LICENSE',
      'dist/LICENSES.txt',
      'dist/client.d.ts',
      'dist/client.js',
      'dist/connection-errors.d.ts',
      'dist/dry-run.d.ts',
      'dist/errors.d.ts',
      'dist/import.js',
      'dist/transport.d.ts',
      'dist/types.d.ts',
      'package.json',
    ]);
    const text = await readFile(join(folder, 'node_modules/@peere/client/package.json'), 'utf8');
    assert.equal((JSON.parse(text) as { dependencies?: object }).dependencies, undefined);
    const client = await readFile(join(folder, 'node_modules/@peere/client/dist/client.js'), 'utf8');
    assert.doesNotMatch(client, /\b(require\(|from ["'])/, 'the client imports nothing');
  });

  void it('has types that a stranger’s compiler takes', async () => {
    const program = `
      import { createClient, PeereError, type Customer, type PeereErrorCode } from '@peere/client';
      const peere = createClient({ url: 'https://x.example', key: 'k' });
      const found: Customer | null = await peere.getCustomer({ phrase: '${PHRASE}' });
      for await (const { phrase } of peere.listBatchCustomers('bat_x')) phrase.toUpperCase();
      const code: PeereErrorCode = new PeereError('NO_ANSWER', '').code;
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

  void it('says in one sentence what to do where its importer is not built', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await copyFile(join(projectFolder, 'client/bin/peere-import.js'), join(bin, 'peere-import.js'));
    const { code, stderr } = await run(process.execPath, [join(bin, 'peere-import.js')]).then(
      () => assert.fail('it went on'),
      (error: { code: number; stderr: string }) => error,
    );
    assert.equal(code, 3);
    assert.match(stderr, /^peere-import is not built yet: run npm ci --ignore-scripts=false [^\n]+\n$/);
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
