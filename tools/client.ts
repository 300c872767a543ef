/**
 * `npm run client`: the package that banks install, in client/dist: the client, its types, the importer with all that
 * it needs. Runs by itself after `npm ci`, and before `npm pack`. `-- --check` fails where the types that are written
 * down are not those that the schemas make.
 */
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { compile } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';
import { buildOpenApi, type OpenApi } from '../src/reference/openapi.ts';

const projectFolder = fileURLToPath(new URL('..', import.meta.url).href);
const clientFolder = join(projectFolder, 'client');
const typesFile = join(clientFolder, 'src', 'types.ts');

type Schema = Record<string, unknown>;
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description: string;
  schema: Schema;
}

/** The query of each operation, as a schema of its own: `ListCustomersQuery`. */
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
        parameters.map(({ name, description, schema }) => [name, { ...bare(schema), description }]),
      ),
      required: parameters.filter(({ required }) => required).map(({ name }) => name),
    };
  }
  return queries;
}

/** A default is what happens without; in a type it would make a field one that is there, and bounds make tuples. */
function bare(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(
    ([keyword]) => !['default', 'minItems', 'maxItems'].includes(keyword),
  );
  return Object.fromEntries(kept);
}

/** JSON Schema as the generator takes it: definitions, and nothing beside a reference. */
function prepare(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(prepare);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema)
    return { $ref: String(schema.$ref).replace('#/components/schemas/', '#/definitions/') };
  const { examples: _, ...rest } = schema as Schema;
  const choices = rest['anyOf'] as Schema[] | undefined;
  // Beside words, their other spellings: a program sends the words.
  if (choices?.some((choice) => 'enum' in choice))
    rest['anyOf'] = choices.filter((choice) => !('pattern' in choice));
  const entries = Object.entries(rest).map(([keyword, value]) => [keyword, prepare(value)]);
  const made = Object.fromEntries(entries) as Schema;
  return Object.keys(rest).every((keyword) => keyword === 'description')
    ? { ...made, tsType: 'unknown' }
    : made;
}

async function makeTypes(): Promise<string> {
  const document = buildOpenApi('0');
  const definitions = prepare({ ...document.components.schemas, ...queriesOf(document) }) as Schema;
  const made = await compile({ title: 'All', definitions, additionalProperties: false } as never, 'All', {
    unreachableDefinitions: true,
    additionalProperties: false,
    bannerComment:
      '/** What goes in and comes out. Made of the service’s schemas by `npm run client`: not to be edited. */',
    format: false,
  });
  const text = await format(made, { ...(await resolveConfig(typesFile)), parser: 'typescript' });
  // What the generator says of itself, and the definition that held the others.
  return text
    .replace('export interface All {}\n', '')
    .replaceAll(/ \*\n \* This interface was referenced by .*\n \* via the `definition` .*\n/g, '')
    .replaceAll(/\/\*\*\n \* This interface was referenced by .*\n \* via the `definition` .*\n \*\/\n/g, '');
}

async function bundle(): Promise<void> {
  const dist = join(clientFolder, 'dist');
  await rm(dist, { recursive: true, force: true });
  const shared = { bundle: true, format: 'esm', absWorkingDir: clientFolder } as const;
  await build({ ...shared, entryPoints: ['src/client.ts'], outfile: 'dist/client.js', target: 'es2022' });
  const { metafile } = await build({
    ...shared,
    metafile: true,
    entryPoints: ['src/import/cli.ts'],
    outfile: 'dist/import.js',
    platform: 'node',
    target: 'node20',
    // Some of what is bundled is CommonJS, and asks for Node's own modules in its way.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
    },
  });
  const tsc = join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', clientFolder]);
  await writeFile(join(dist, 'LICENSES.txt'), await licensesOf(packagesOf(Object.keys(metafile.inputs))));
  await copyFile(join(projectFolder, 'LICENSE'), join(dist, 'LICENSE'));
}

/** Of the files that were bundled: whose they are. */
function packagesOf(inputs: string[]): string[] {
  const names = inputs.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  return [...new Set(names)].toSorted();
}

async function licensesOf(names: string[]): Promise<string> {
  const texts = names.map(async (name) => {
    const folder = join(projectFolder, 'node_modules', name);
    const file = (await readdir(folder)).find((known) => /^licen[cs]e/i.test(known)) ?? 'LICENSE';
    return `${name}\n\n${await readFile(join(folder, file), 'utf8')}`;
  });
  return (await Promise.all(texts)).join('\n\n---\n\n');
}

const types = await makeTypes();
// Written only where it changes something: a compiler may be reading it.
if ((await readFile(typesFile, 'utf8').catch(() => '')) !== types) {
  if (process.argv.includes('--check')) {
    console.error('client/src/types.ts is not what the schemas make. Run `npm run client` and commit it.');
    process.exit(1);
  }
  await writeFile(typesFile, types);
}
await bundle();
