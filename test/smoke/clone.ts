/** Copies the project to a temporary folder, as after `git clone` and `npm ci`. */
import { cp, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../tools/lib/wrangler.ts';

const PARTS = [
  'src',
  'packages',
  'tools',
  'docs',
  'migrations',
  'package.json',
  'wrangler.toml',
  'tsconfig.json',
];

/** @returns the folder, which the caller removes */
export async function cloneProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peere-clone-'));
  for (const name of PARTS) await cp(join(projectFolder, name), join(folder, name), { recursive: true });
  await symlink(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** PATH as npm and npx set it: the project's own Node and wrangler come first. */
export const npmPath = `${join(projectFolder, 'node_modules/.bin')}:${process.env['PATH']}`;
export const wranglerBin = join(projectFolder, 'node_modules/wrangler/bin/wrangler.js');
