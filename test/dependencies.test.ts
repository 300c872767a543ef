/** What is installed is what is written down, and runs nothing while it is installed but what is allowed to. */
import { describe, expect, it } from 'vitest';
import lockText from '../package-lock.json?raw';
import packageText from '../package.json?raw';

interface Locked {
  version: string;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
  optional?: boolean;
  link?: boolean;
}
const { packages } = JSON.parse(lockText) as { packages: Record<string, Locked> };
const { dependencies, devDependencies, allowScripts } = JSON.parse(packageText) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};
const NPM = /^https:\/\/registry\.npmjs\.org\//;
const nameOf = (path: string) => path.split('node_modules/').at(-1) ?? '';

describe('dependencies', () => {
  it.each(Object.entries({ ...dependencies, ...devDependencies }))(
    '%s is pinned to one version',
    (_, version) => {
      expect(version).toMatch(/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[a-z]+)?$/);
    },
  );

  it('run no install script beyond those that are allowed', () => {
    const withScript = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript);
    const names = new Set(withScript.map(([path]) => nameOf(path)));
    // fsevents is for macOS alone, and npm asks there.
    names.delete('fsevents');
    // Each is allowed or refused, in so many words; npm runs none that is refused.
    expect([...names].filter((name) => allowScripts[name] === undefined)).toEqual([]);
    const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
    expect(allowed.sort()).toEqual(['esbuild', 'node', 'workerd']);
  });

  it('come from the npm registry, each with its hash', () => {
    for (const [path, { resolved, integrity, optional, link }] of Object.entries(packages)) {
      // This project's own: itself, its packages, and the links to them.
      if (path === '' || path.startsWith('packages/') || link === true) continue;
      // Absent: npm asks its own registry.
      if (resolved !== undefined) expect([path, resolved]).toEqual([path, expect.stringMatching(NPM)]);
      // Builds for other machines than the lock was made on may stand in it by version alone.
      if (integrity !== undefined || optional !== true)
        expect([path, integrity]).toEqual([path, expect.stringMatching(/^sha512-/)]);
    }
  });
});
