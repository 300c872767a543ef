/** The dependencies are exact versions from the npm registry, and only allowed ones run install scripts. */
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

describe('the dependencies', () => {
  it.each(Object.entries({ ...dependencies, ...devDependencies }))(
    'include %s at one exact version',
    (_, version) => {
      expect(version).toMatch(/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[a-z]+)?$/);
    },
  );

  it('run no install scripts except the allowed ones', () => {
    const withScript = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript);
    const names = new Set(withScript.map(([path]) => nameOf(path)));
    // fsevents is installed on macOS alone.
    names.delete('fsevents');
    // Each is either allowed or refused by name.
    expect([...names].filter((name) => allowScripts[name] === undefined)).toEqual([]);
    const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
    expect(allowed.sort()).toEqual(['esbuild', 'node', 'workerd']);
  });

  it('come from the npm registry, each with a hash', () => {
    for (const [path, { resolved, integrity, optional, link }] of Object.entries(packages)) {
      // The project itself, its packages, and the links to them.
      if (path === '' || path.startsWith('packages/') || link === true) continue;
      // If it is absent, npm uses its own registry.
      if (resolved !== undefined) expect([path, resolved]).toEqual([path, expect.stringMatching(NPM)]);
      // Builds for other platforms may have no hash.
      if (integrity !== undefined || optional !== true)
        expect([path, integrity]).toEqual([path, expect.stringMatching(/^sha512-/)]);
    }
  });
});
