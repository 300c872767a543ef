/** Bundles the console (packages/console): the page's script and style, and the Web Worker that reads and sends files. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectFolder } from '../lib/wrangler.ts';
import { licensesOf } from './licenses.ts';

interface SiteFile {
  name: string;
  content: Buffer;
}

export async function buildConsole(): Promise<SiteFile[]> {
  const { outputFiles, metafile } = await build({
    bundle: true,
    minify: true,
    // A plain script each: `default-src 'none'` leaves no module that one of them could import.
    format: 'iife',
    absWorkingDir: join(projectFolder, 'packages', 'console'),
    entryPoints: [
      { in: 'src/main.tsx', out: 'console' },
      { in: 'src/console.css', out: 'console' },
      { in: 'src/import/worker.ts', out: 'console-import' },
    ],
    outdir: 'dist',
    write: false,
    metafile: true,
    target: 'es2022',
    // Its build for browsers, which the package offers by another name.
    alias: { 'csv-stringify/sync': 'csv-stringify/browser/esm/sync' },
    legalComments: 'none',
    charset: 'utf8',
  });
  const files = outputFiles.map(({ path, contents }) => ({
    name: path.replace(/^.*[\\/]/, ''),
    content: Buffer.from(contents),
  }));
  return [...files, { name: 'console.js.LICENSE.txt', content: Buffer.from(await licensesOf(metafile)) }];
}
