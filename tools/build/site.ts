/**
 * Generates the Worker's static pages in dist/site: the home page, the OpenAPI document and the reference that renders
 * it, the errors, and the console. Part of the build (tools/build/build.ts); the tests run it before they begin.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildOpenApi } from '../../src/openapi/openapi.ts';
import { PAGES } from '../../src/openapi/pages/pages.ts';
import { projectFolder } from '../lib/wrangler.ts';
import { buildConsole } from './console.ts';

export const siteFolder = join(projectFolder, 'dist', 'site');
export const openApiFile = join(siteFolder, 'openapi.json');
const RENDERER = ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt'];

export async function buildSite(): Promise<void> {
  const { version } = JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const pages = join(projectFolder, 'src/openapi/site');
  const renderer = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  await mkdir(siteFolder, { recursive: true });
  const put = async (name: string, content: Buffer) => {
    built.add(name);
    await putFile(name, content);
  };
  const built = new Set<string>();
  for (const name of await readdir(pages)) await put(name, await readFile(join(pages, name)));
  for (const name of RENDERER) await put(name, await readFile(join(renderer, name)));
  await put('openapi.json', Buffer.from(JSON.stringify(buildOpenApi(version, await publicUrl()), null, 2)));
  await put('import.svg', await readFile(join(projectFolder, 'docs', 'import.svg')));
  for (const [name, page] of Object.entries(PAGES)) await put(name, Buffer.from(page()));
  for (const { name, content } of await buildConsole()) await put(name, content);
  await removeOthers(built);
}

/** What an earlier build has left would be served and deployed. It goes last, so that a server is never without a file. */
async function removeOthers(built: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(siteFolder)) {
    if (!built.has(name)) await rm(join(siteFolder, name), { recursive: true, force: true });
  }
}

/** @returns the URL of the deployed service, from wrangler.toml; undefined before the first deploy */
async function publicUrl(): Promise<string | undefined> {
  const configuration = await readFile(join(projectFolder, 'wrangler.toml'), 'utf8');
  return /^PUBLIC_URL = "([^"]+?)\/?"/m.exec(configuration)?.[1];
}

/** Writes a file atomically and only if it has changed: a server may be serving it, or another build writing it. */
async function putFile(name: string, content: Buffer): Promise<void> {
  const file = join(siteFolder, name);
  const present = await readFile(file).catch(() => null);
  if (present?.equals(content)) return;
  const unfinished = join(siteFolder, '..', `${name}.${process.pid}`);
  await writeFile(unfinished, content);
  await rename(unfinished, file);
}
