/** How the check runs npm scripts in parallel. Part of `npm run smoke`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { projectFolder } from '../../tools/lib/wrangler.ts';

/** @returns a command that waits for a file of another script, and fails after 30 s */
const waitFor = (name: string) =>
  `node -e "while (!fs.existsSync('${name}')) if (performance.now() > 30_000) process.exit(1);"`;
const make = (name: string) => `node -e "fs.writeFileSync('${name}', '')"`;
const SCRIPTS = {
  first: `echo one && ${waitFor('made')} && echo two`,
  second: `${make('made')} && echo three`,
  failing: 'echo broken >&2 && exit 3',
  late: make('late'),
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peere-beside-'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: SCRIPTS }));
});
after(() => rm(folder, { recursive: true, force: true }));

const beside = (...rows: string[]) =>
  new Promise<{ code: number; output: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(projectFolder, 'tools/dev/beside.ts'), ...rows],
      { cwd: folder },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });

void describe('parallel scripts', { timeout: 60_000 }, () => {
  void it('run at the same time, and the output of each stays together', async () => {
    const { code, output } = await beside('first', 'second');
    assert.equal(code, 0, output);
    assert.match(output, /^> npm run first \(passed after \d+ s\)\none\ntwo\n$/m);
    assert.match(output, /^> npm run second \(passed after \d+ s\)\nthree\n$/m);
  });

  void it('fail if one of them fails, show its output, and start no other', async () => {
    const { code, output } = await beside('failing, late');
    assert.equal(code, 1, output);
    assert.match(output, /^> npm run failing \(FAILED after \d+ s\)\nbroken\n$/m);
    assert.doesNotMatch(output, /npm run late/);
  });
});
