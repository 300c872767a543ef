/**
 * Other people's tools understand the OpenAPI document: clients that they generate compile strictly and call the service,
 * and the Postman collection runs without a failure. `npm run generators` installs the tools, which takes a minute and
 * 220 MB, into a folder of their own: nothing else needs them.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { buildOpenApi } from '../../src/openapi/openapi.ts';
import { DEMO_CUSTOMER } from '../../src/openapi/examples.ts';
import { startServer, type Server } from '../../tools/dev/server.ts';
import { projectFolder } from '../../tools/lib/wrangler.ts';

const run = promisify(execFile);
const folder = join(projectFolder, '.wrangler/generators');
const KEY = 'peere_test_lagos_full';
const NETWORK_KEY = 'peere_test_network';

let server: Server;

before(async () => {
  await mkdir(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    await copyFile(join(projectFolder, 'test/smoke/generators', name), join(folder, name));
  }
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
  server = await startServer();
  const document = { ...buildOpenApi('0'), servers: [{ url: server.url }] };
  await writeFile(join(folder, 'openapi.json'), JSON.stringify(document));
});
after(() => server?.stop());

/** Runs a file of an installed package, in the folder. */
const node = (file: string, ...args: string[]) =>
  run(process.execPath, [join(folder, 'node_modules', file), ...args], { cwd: folder });

interface Generator {
  name: string;
  /** Writes the client into the folder `name`. */
  generate: () => Promise<unknown>;
  /** A program that looks up a customer, lists customers and sends a batch, and prints what it got. */
  program: string;
}

/** Each program prints the same. */
const PRINTED = [DEMO_CUSTOMER.accountName, 'CUSTOMER_NOT_FOUND', '1', '0 of 1 would be created'];
const CUSTOMER = `{ clientRef: 'c', firstname: 'f', lastname: 'l', accountName: 'a', email: 'none', country: 'NG', accountNumber: '1', reference: 'r' }`;
const HEADERS = `{ Authorization: 'Bearer ${KEY}' }`;

const GENERATORS: Generator[] = [
  {
    name: 'openapi-typescript',
    generate: () =>
      node('openapi-typescript/bin/cli.js', 'openapi.json', '-o', 'openapi-typescript/peere.ts'),
    program: `
      import createClient from 'openapi-fetch';
      import type { paths } from './peere.ts';
      const peere = createClient<paths>({ baseUrl: process.env['PEERE_URL'] ?? '', headers: ${HEADERS} });
      const found = await peere.GET('/v1/bank/customer', { params: { query: { id: '${DEMO_CUSTOMER.id}' } } });
      const missing = await peere.GET('/v1/bank/customer', { params: { query: { id: 'cus_none' } } });
      const list = await peere.GET('/v1/bank/customers', { params: { query: { limit: 1 } } });
      const batch = await peere.POST('/v1/bank/customers', {
        params: { query: { dryRun: true } },
        body: { customers: [${CUSTOMER}] },
      });
      const summary = batch.data?.data.summary;
      console.log(found.data?.data.accountName);
      console.log(missing.error?.code);
      console.log(list.data?.length);
      console.log(\`\${summary?.successful} of \${summary?.total} would be created\`);`,
  },
  {
    name: 'hey-api',
    generate: () =>
      node(
        '@hey-api/openapi-ts/bin/run.js',
        '--input=openapi.json',
        '--output=hey-api/generated',
        '--client=@hey-api/client-fetch',
      ),
    program: `
      import { client } from './generated/client.gen';
      import { createCustomers, getCustomer, listCustomers } from './generated';
      client.setConfig({ baseUrl: process.env['PEERE_URL'] ?? '', auth: '${KEY}' });
      const found = await getCustomer({ query: { id: '${DEMO_CUSTOMER.id}' } });
      const missing = await getCustomer({ query: { id: 'cus_none' } });
      const list = await listCustomers({ query: { limit: 1 } });
      const batch = await createCustomers({ query: { dryRun: true }, body: { customers: [${CUSTOMER}] } });
      const summary = batch.data?.data.summary;
      console.log(found.data?.data.accountName);
      console.log(missing.error?.code);
      console.log(list.data?.length);
      console.log(\`\${summary?.successful} of \${summary?.total} would be created\`);`,
  },
  {
    name: 'orval',
    generate: async () => {
      const config = {
        peere: {
          input: 'openapi.json',
          output: { target: 'orval/peere.ts', client: 'fetch', baseUrl: server.url },
        },
      };
      await writeFile(join(folder, 'orval.config.mjs'), `export default ${JSON.stringify(config)};`);
      await node('orval/dist/bin/orval.mjs', '--config', 'orval.config.mjs');
    },
    program: `
      import { createCustomers, getCustomer, listCustomers } from './peere';
      const options = { headers: ${HEADERS} };
      const found = await getCustomer({ id: '${DEMO_CUSTOMER.id}' }, options);
      const missing = await getCustomer({ id: 'cus_none' }, options);
      const list = await listCustomers({ limit: 1 }, options);
      const batch = await createCustomers({ customers: [${CUSTOMER}] }, { dryRun: true }, options);
      console.log(found.status === 200 ? found.data.data.accountName : found.status);
      console.log(missing.status === 404 ? missing.data.code : missing.status);
      console.log(list.status === 200 ? list.data.length : list.status);
      const summary = batch.status === 200 ? batch.data.data.summary : undefined;
      console.log(\`\${summary?.successful} of \${summary?.total} would be created\`);`,
  },
];

/** Of the generated code too: \`skipLibCheck\` is off. */
const COMPILER_OPTIONS = {
  strict: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'ES2023',
  module: 'ESNext',
  moduleResolution: 'Bundler',
  allowImportingTsExtensions: true,
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  types: ['node'],
  typeRoots: [join(projectFolder, 'node_modules/@types')],
};

for (const { name, generate, program } of GENERATORS) {
  void describe(`the client that ${name} generates`, { timeout: 240_000 }, () => {
    const own = join(folder, name);
    before(async () => {
      await rm(own, { recursive: true, force: true });
      await mkdir(own);
      await generate();
      await writeFile(join(own, 'program.ts'), program);
    });

    void it('compiles strictly', async () => {
      const config = { compilerOptions: COMPILER_OPTIONS, include: ['.'] };
      await writeFile(join(own, 'tsconfig.json'), JSON.stringify(config));
      const tsc = join(projectFolder, 'node_modules/typescript/bin/tsc');
      await run(process.execPath, [tsc, '-p', own]).catch((error: { stdout: string }) =>
        assert.fail(error.stdout),
      );
    });

    void it('calls the service', async () => {
      const bundle = join(own, 'program.mjs');
      const esbuild = join(projectFolder, 'node_modules/esbuild/bin/esbuild');
      const source = join(own, 'program.ts');
      await run(esbuild, [source, '--bundle', '--format=esm', '--platform=node', `--outfile=${bundle}`]);
      const { stdout } = await run(process.execPath, [bundle], {
        env: { ...process.env, PEERE_URL: server.url },
      });
      assert.deepEqual(stdout.trimEnd().split('\n'), PRINTED);
    });
  });
}

interface Item {
  name: string;
  item?: Item[];
  request?: { method: string; url: { path: string[] }; auth?: object };
}
interface Collection {
  item: Item[];
  event?: object[];
}

const requestsOf = ({ item }: Pick<Collection, 'item'>): Item[] =>
  item.flatMap((one) => (one.item === undefined ? [one] : requestsOf({ item: one.item })));
const bearer = (value: string) => ({ type: 'bearer', bearer: [{ key: 'token', value, type: 'string' }] });

void describe('the Postman collection', { timeout: 240_000 }, () => {
  void it('is made from the document, and every request of it succeeds', async () => {
    const require = createRequire(join(folder, 'package.json'));
    const collection = await toCollection(require);
    // The erasure comes last, because the other examples are about the same customer. The payee needs a scope of its own.
    const isErasure = ({ request }: Item) => (request?.method === 'DELETE' ? 1 : 0);
    collection.item = requestsOf(collection).toSorted((one, other) => isErasure(one) - isErasure(other));
    for (const { request } of collection.item) {
      if (request?.url.path.includes('network') === true) request.auth = bearer(NETWORK_KEY);
    }
    const exec = ["pm.test('succeeds', () => pm.expect(pm.response.code).to.be.below(400));"];
    collection.event = [{ listen: 'test', script: { type: 'text/javascript', exec } }];
    await writeFile(join(folder, 'collection.json'), JSON.stringify(collection));
    const { stdout } = await node(
      'newman/bin/newman.js',
      'run',
      'collection.json',
      `--env-var=bearerToken=${KEY}`,
      `--env-var=baseUrl=${server.url}`,
      '--color=off',
    ).catch((error: { stdout: string }) => assert.fail(error.stdout));
    const executed = /assertions\s+│\s+(\d+)\s+│\s+(\d+)/.exec(stdout);
    assert.deepEqual(executed?.slice(1), [String(collection.item.length), '0'], stdout);
  });
});

type Convert = (
  input: object,
  options: object,
  done: (error: unknown, result: { output: { data: Collection }[]; reason?: string }) => void,
) => void;

async function toCollection(require: NodeJS.Require): Promise<Collection> {
  const { convert } = require('openapi-to-postmanv2') as { convert: Convert };
  const data = await readFile(join(folder, 'openapi.json'), 'utf8');
  const options = { requestParametersResolution: 'Example', exampleParametersResolution: 'Example' };
  return new Promise((resolve, reject) =>
    convert({ type: 'string', data }, options, (error, { output, reason }) => {
      const made = output[0]?.data;
      if (made === undefined) reject(new Error(reason ?? String(error)));
      else resolve(made);
    }),
  );
}
