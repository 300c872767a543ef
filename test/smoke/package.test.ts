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
import { runNodeRecipe, runWorkerRecipe } from './recipes.ts';

const run = promisify(execFile);
const PHRASE = 'river-stone-ocean-coral';
/** The modules of the client, each with its types. */
const MODULES = [
  'client',
  'connection-errors',
  'dry-run',
  'errors',
  'fields',
  'pages',
  'transport',
  'types',
  'webhook-signature',
  'webhooks',
];

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

/** Compiles files of the folder, strictly. @throws if there is an error */
async function compile(module: string, sources: string[]): Promise<void> {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module,
    target: 'ES2023',
    lib: ['ES2023', 'DOM', 'DOM.AsyncIterable'],
    types: ['node'],
    typeRoots: [join(projectFolder, 'node_modules/@types')],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: sources }));
  await run(process.execPath, [join(projectFolder, 'node_modules/typescript/bin/tsc'), '-p', folder]);
}

/** Writes a program and runs it against the server. @returns what it printed */
async function runProgram(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  const { stdout } = await run(process.execPath, [join(folder, name)], {
    env: { ...process.env, PEERE_URL: server.url, PEERE_API_KEY: 'peere_test_lagos_full' },
  });
  return stdout;
}

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
    const wanted = [
      'README.md',
      'dist/LICENSE',
      ...MODULES.map((name) => `dist/cjs/${name}.d.ts`),
      'dist/cjs/client.js',
      'dist/cjs/package.json',
      ...MODULES.map((name) => `dist/${name}.d.ts`),
      'dist/client.js',
      'package.json',
    ];
    assert.deepEqual(files.client.toSorted(), wanted.toSorted());
    assert.equal((await manifestOf('client')).dependencies, undefined);
    for (const name of ['client.js', 'cjs/client.js']) {
      const client = await readFile(join(folder, 'node_modules/@peere/client/dist', name), 'utf8');
      assert.doesNotMatch(client, /\b(require\(|from ["'])/, 'the client imports nothing');
    }
  });

  void it('has types that compile in another project, of ES modules and of CommonJS', async () => {
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
    const inCommonJs = `
      import { createClient, type Customer } from '@peere/client';
      import peere = require('@peere/client');
      const found: Promise<Customer | null> = createClient({ url: '', key: '' }).getCustomer({ id: '' });
      export = { found, code: new peere.PeereError('NO_RESPONSE', '').code };`;
    await writeFile(join(folder, 'program.ts'), program);
    await writeFile(join(folder, 'program.cts'), inCommonJs);
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await compile('Node16', ['program.ts', 'program.cts']);
    await compile('NodeNext', ['program.ts', 'program.cts']);
  });

  for (const [extension, line] of [
    ['mjs', "import { createClient } from '@peere/client';"],
    ['cjs', "const { createClient } = require('@peere/client');"],
  ] as const) {
    void it(`works in Node, in a file .${extension}`, async () => {
      const program = `${line}
        const peere = createClient({ url: process.env.PEERE_URL, key: process.env.PEERE_API_KEY });
        peere.getCustomer({ phrase: '${PHRASE}' }).then(({ accountName }) => console.log(accountName));`;
      assert.equal(await runProgram(`program.${extension}`, program), 'Adaobi Okafor\n');
    });
  }

  void it('is used as in the whole example of its README, which compiles strictly and runs', async () => {
    const readme = await readFile(join(projectFolder, 'packages/client/README.md'), 'utf8');
    const example = /^## A whole example$.*?^```ts\n(.*?)^```$/ms.exec(readme)?.[1] ?? '';
    await writeFile(join(folder, 'example.ts'), example);
    await compile('NodeNext', ['example.ts']);
    assert.deepEqual((await runProgram('example.ts', example)).split('\n'), [
      'COMPLETED: 1 created, 0 failed',
      'core-0000042 4 words',
      'renamed',
      'EXISTING_CUSTOMER',
      '',
    ]);
  });

  void it('verifies webhooks as in the recipes of its README, in Node and in a Worker', async () => {
    const readme = await readFile(join(projectFolder, 'packages/client/README.md'), 'utf8');
    const [, section = ''] = /^## Receive a webhook$(.*?)^## /ms.exec(readme) ?? [];
    const [node = '', worker = ''] = [...section.matchAll(/^```ts\n(.*?)^```$/gms)].map(
      ([, text]) => text ?? '',
    );
    await writeFile(join(folder, 'node.ts'), node);
    await writeFile(join(folder, 'worker.ts'), worker);
    await compile('NodeNext', ['node.ts', 'worker.ts']);
    await runNodeRecipe(folder, server.url, node);
    await runWorkerRecipe(folder, server.url, worker);
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
