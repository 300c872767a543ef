/**
 * `npm run client`: builds the packages that banks install, packages/client with its types and packages/cli. Runs by
 * itself after `npm ci`, and before `npm pack`. `-- --check` fails if the types that are committed are not those that
 * the schemas make.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { compile } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';
import { buildOpenApi, type OpenApi } from '../../src/openapi/openapi.ts';
import { projectFolder } from '../lib/wrangler.ts';
import { licensesOf } from './licenses.ts';

const clientFolder = join(projectFolder, 'packages', 'client');
const cliFolder = join(projectFolder, 'packages', 'cli');
const typesFile = join(clientFolder, 'src', 'types.ts');
const fieldsFile = join(clientFolder, 'src', 'fields.ts');

/** The first line of both generated files. */
const BANNER = '/** Generated from the service’s schemas by `npm run client`: do not edit. */';

type Schema = Record<string, unknown>;
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description: string;
  schema: Schema;
}

/** Makes a schema of the query of each operation: `ListCustomersQuery`. */
function queriesOf({ paths }: OpenApi): Record<string, Schema> {
  const queries: Record<string, Schema> = {};
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    const parameters = ((operation['parameters'] ?? []) as Parameter[]).filter(
      ({ in: place }) => place === 'query',
    );
    if (parameters.length === 0) continue;
    const id = String(operation['operationId']);
    queries[`${id.charAt(0).toUpperCase()}${id.slice(1)}Query`] = {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        parameters.map(({ name, description, schema }) => [name, { ...withoutBounds(schema), description }]),
      ),
      required: parameters.filter(({ required }) => required).map(({ name }) => name),
    };
  }
  return queries;
}

/** Drops keywords that would distort a type: a default makes a field required, and bounds turn arrays into tuples. */
function withoutBounds(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(
    ([keyword]) => !['default', 'minItems', 'maxItems'].includes(keyword),
  );
  return Object.fromEntries(kept);
}

/** Converts JSON Schema to what the generator accepts: definitions, and references without other keywords. */
function prepare(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(prepare);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema)
    return { $ref: String(schema.$ref).replace('#/components/schemas/', '#/definitions/') };
  const { examples: _, ...rest } = schema as Schema;
  const choices = rest['anyOf'] as Schema[] | undefined;
  // An enum's other accepted spellings are patterns: a program sends the enum's own words.
  if (choices?.some((choice) => 'enum' in choice))
    rest['anyOf'] = choices.filter((choice) => !('pattern' in choice));
  const entries = Object.entries(rest).map(([keyword, value]) => [keyword, prepare(value)]);
  const prepared = Object.fromEntries(entries) as Schema;
  return Object.keys(rest).every((keyword) => keyword === 'description')
    ? { ...prepared, tsType: 'unknown' }
    : prepared;
}

async function generateTypes(document: OpenApi): Promise<string> {
  const definitions = prepare({ ...document.components.schemas, ...queriesOf(document) }) as Schema;
  const generatedText = await compile(
    { title: 'All', definitions, additionalProperties: false } as never,
    'All',
    {
      unreachableDefinitions: true,
      additionalProperties: false,
      bannerComment: BANNER,
      format: false,
    },
  );
  const text = await format(generatedText, { ...(await resolveConfig(typesFile)), parser: 'typescript' });
  // Removes the generator's remarks, and the definition that contained the others.
  return text
    .replace('export interface All {}\n', '')
    .replaceAll(/ \*\n \* This interface was referenced by .*\n \* via the `definition` .*\n/g, '')
    .replaceAll(/\/\*\*\n \* This interface was referenced by .*\n \* via the `definition` .*\n \*\/\n/g, '');
}

/** The fields of a schema, in its order. @param mark the property that says whether a field is always there */
function fieldsOf({ components }: OpenApi, name: string, mark: (isRequired: boolean) => object): string {
  const { properties, required = [] } = components.schemas[name] as {
    properties: Record<string, Schema>;
    required?: string[];
  };
  const fields = Object.keys(properties).map((field) => [field, mark(required.includes(field))]);
  return JSON.stringify(Object.fromEntries(fields));
}

/** The fields of customers as values: the command-line tool maps columns to them, writes them and compares them. */
async function generateFields(document: OpenApi): Promise<string> {
  const { properties: patchable } = document.components.schemas['CustomerUpdate'] as { properties: object };
  const text = `${BANNER}
    import type { Customer, CustomerUpdate, NewCustomer } from './types.ts';

    /** Every field of a new customer, in the order of the contract. */
    export const NEW_CUSTOMER_FIELDS = ${fieldsOf(document, 'NewCustomer', (required) => ({ required }))} as const satisfies Record<keyof NewCustomer, { required: boolean }>;

    /** Every field that a read shows, in its order. The Extended fields need the scope \`customers:read:extended\`. */
    export const CUSTOMER_FIELDS = ${fieldsOf(document, 'Customer', (isStandard) => ({ extended: !isStandard }))} as const satisfies Record<keyof Customer, { extended: boolean }>;

    /** Every field that an update may change. */
    export const UPDATE_FIELDS = ${JSON.stringify(Object.keys(patchable))} as const satisfies (keyof CustomerUpdate)[];`;
  return format(text, { ...(await resolveConfig(fieldsFile)), parser: 'typescript' });
}

async function bundleClient(): Promise<void> {
  const dist = await emptyDist(clientFolder);
  const bundle = (modules: 'esm' | 'cjs', outfile: string) =>
    build({
      bundle: true,
      format: modules,
      absWorkingDir: clientFolder,
      entryPoints: ['src/client.ts'],
      outfile,
      target: 'es2022',
    });
  await Promise.all([bundle('esm', 'dist/client.js'), bundle('cjs', 'dist/cjs/client.js')]);
  const tsc = join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', clientFolder]);
  await copyForCommonJs(dist);
  await copyFile(join(projectFolder, 'LICENSE'), join(dist, 'LICENSE'));
}

/** TypeScript takes types for those of an ES module or of CommonJS by the nearest package.json. */
async function copyForCommonJs(dist: string): Promise<void> {
  const types = (await readdir(dist)).filter((name) => name.endsWith('.d.ts'));
  await Promise.all(types.map((name) => copyFile(join(dist, name), join(dist, 'cjs', name))));
  await writeFile(join(dist, 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
}

/** Bundles everything, the client included, into one file: a bank installs it from an archive, without a registry. */
async function bundleCli(): Promise<void> {
  const dist = await emptyDist(cliFolder);
  const { metafile } = await build({
    bundle: true,
    format: 'esm',
    absWorkingDir: cliFolder,
    metafile: true,
    entryPoints: ['src/cli.ts'],
    outfile: 'dist/peere.js',
    platform: 'node',
    target: 'node20',
    // Some dependencies are CommonJS and `require` Node's modules.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
    },
  });
  await writeFile(join(dist, 'LICENSES.txt'), await licensesOf(metafile));
  await copyFile(join(projectFolder, 'LICENSE'), join(dist, 'LICENSE'));
}

async function emptyDist(packageFolder: string): Promise<string> {
  const dist = join(packageFolder, 'dist');
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist);
  return dist;
}

const document = buildOpenApi('0');
const generated = [
  [typesFile, await generateTypes(document)],
  [fieldsFile, await generateFields(document)],
] as const;
for (const [file, text] of generated) {
  if ((await readFile(file, 'utf8').catch(() => '')) === text) continue;
  if (process.argv.includes('--check')) {
    console.error(
      `${relative(projectFolder, file)} differs from the schemas: run npm run client and commit it.`,
    );
    process.exit(1);
  }
  // Only if it differs: a compiler may be reading it.
  await writeFile(file, text);
}
await bundleClient();
await bundleCli();
