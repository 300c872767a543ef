/** The licenses of the npm packages that a bundle contains. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { projectFolder } from '../lib/wrangler.ts';

/** @returns the names of the packages that the bundled files come from */
function packagesOf({ inputs }: Metafile): string[] {
  const names = Object.keys(inputs).flatMap(
    (file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
  );
  return [...new Set(names)].toSorted();
}

export async function licensesOf(metafile: Metafile): Promise<string> {
  const texts = packagesOf(metafile).map(async (name) => {
    const folder = join(projectFolder, 'node_modules', name);
    const file = (await readdir(folder)).find((known) => /^licen[cs]e/i.test(known)) ?? 'LICENSE';
    return `${name}\n\n${await readFile(join(folder, file), 'utf8')}`;
  });
  return (await Promise.all(texts)).join('\n\n---\n\n');
}
