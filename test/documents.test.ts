/** The documents name only files, sections and commands that exist. */
import { describe, expect, it } from 'vitest';
import packageText from '../package.json?raw';
import cliPackageText from '../packages/cli/package.json?raw';

const DOCUMENTS = import.meta.glob(['../*.md', '../docs/*.md', '../packages/*/README.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
}) as Record<string, string>;

/** Paths of every file of the project, from its root. */
const FILES = Object.keys(
  import.meta.glob([
    '../*.*',
    '../{bench,docs,migrations,packages,src,test,tools}/**/*',
    '../.ci/*',
    '!../packages/*/dist/**',
  ]),
).map(fromRoot);
const FOLDERS = new Set(
  FILES.flatMap((file) => [...file.matchAll(/\//g)].map(({ index }) => file.slice(0, index))),
);

const manifest = JSON.parse(packageText) as {
  scripts: Record<string, string>;
  devDependencies: Record<string, string>;
};
const { bin } = JSON.parse(cliPackageText) as { bin: Record<string, string> };
const PROGRAMS = [...Object.keys(manifest.devDependencies), ...Object.keys(bin)];
/** Commands of npm itself. */
const NPM_COMMANDS = ['ci', 'cit', 'install', 'pack', 'run', 'start', 'test'];

function fromRoot(path: string): string {
  return path.replace(/^\.\.?\//, path.startsWith('./') ? 'test/' : '');
}

/** A star stands for any part of a file name. */
function exists(path: string): boolean {
  const name = path.replace(/\/$/, '');
  if (!name.includes('*')) return FILES.includes(name) || FOLDERS.has(name);
  const pattern = new RegExp(
    `^${name
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('[^/]*')}$`,
  );
  return FILES.some((file) => pattern.test(file));
}

/** Paths that begin with a folder of the project, wherever they are in the text. */
const pathsIn = (text: string) =>
  [
    ...text.matchAll(
      /(?<![\w./@:-])(?:bench|docs|migrations|packages|src|test|tools|\.ci)\/[\w./*-]*[\w/*]/g,
    ),
  ].map(([path]) => path);

/** Names of files alone, such as `plan.ts`. */
const namesIn = (text: string) =>
  [...text.matchAll(/`([\w-]+(?:\.[\w-]+)*\.(?:cjs|css|html|js|sql|ts))`/g)].map(([, name]) => name ?? '');

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading ?? ''));

/** Resolves a relative link. @param document path of the document from the root */
function resolve(document: string, link: string): { path: string; anchor: string | undefined } {
  const { pathname, hash } = new URL(link, `file:///${document}`);
  return { path: pathname.slice(1), anchor: hash === '' ? undefined : hash.slice(1) };
}

const documents = Object.entries(DOCUMENTS).map(([path, text]) => [fromRoot(path), text] as const);
const textOf = (path: string) => documents.find(([document]) => document === path)?.[1];

describe.each(documents)('%s', (document, text) => {
  it('names only files and folders that exist', () => {
    expect(pathsIn(text).filter((path) => !exists(path))).toEqual([]);
    const baseNames = new Set(FILES.map((file) => file.split('/').at(-1)));
    expect(namesIn(text).filter((name) => !baseNames.has(name))).toEqual([]);
  });

  it('links only to files and sections that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link]) => link ?? '');
    const broken = links.filter((link) => {
      const { path, anchor } = resolve(document, link);
      if (!exists(path)) return true;
      return anchor !== undefined && !anchorsOf(textOf(path) ?? '').includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names only npm scripts and programs that exist', () => {
    const scripts = [...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, name]) => name ?? '');
    expect(scripts.filter((name) => manifest.scripts[name] === undefined)).toEqual([]);
    const commands = [...text.matchAll(/(?<=[`\n(])npm ([a-z]+)/g)].map(([, name]) => name ?? '');
    expect(commands.filter((name) => !NPM_COMMANDS.includes(name))).toEqual([]);
    const programs = [...text.matchAll(/\bnpx ([\w@/-]+)/g)].map(([, name]) => name ?? '');
    expect(programs.filter((name) => !PROGRAMS.includes(name))).toEqual([]);
  });
});

it('the documents are all there, with paths, links and commands to check', () => {
  expect(documents.map(([path]) => path)).toEqual(
    expect.arrayContaining(['README.md', 'SECURITY.md', 'docs/operations.md', 'packages/cli/README.md']),
  );
  const all = documents.map(([, text]) => text).join('\n');
  expect(pathsIn(all).length).toBeGreaterThan(50);
  expect(all.match(/\bnpm run /g)?.length).toBeGreaterThan(20);
});
