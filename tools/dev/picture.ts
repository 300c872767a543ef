/**
 * `npm run picture`: records an import in a terminal as an animated SVG for the README (docs/import.svg), into a server
 * of its own. The playback is a little faster than the recording. Needs `script` (util-linux).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import headless from '@xterm/headless';
import { toCsv } from '../lib/csv.ts';
import { generateCustomers } from './customers.ts';
import { startServer } from './server.ts';
import { projectFolder } from '../lib/wrangler.ts';

const ROWS = 40_000;
const SIZE = { cols: 92, rows: 15 };
/** Between two snapshots of the screen. */
const SNAPSHOT_INTERVAL_MS = 400;
/** Playback speed. */
const SPEED = 2;
/** How long the last frame stays. */
const LAST_FRAME_MS = 4_000;
/** Pixels. */
const [LINE, CHARACTER, MARGIN] = [20, 8.4, 16];

interface Frame {
  at: number;
  lines: string[];
}

const screen = new headless.Terminal({ ...SIZE, allowProposedApi: true, convertEol: true });
const frames: Frame[] = [];
let startedAt = 0;

function takeSnapshot(): void {
  const { active } = screen.buffer;
  const lines = Array.from(
    { length: SIZE.rows },
    (_, row) => active.getLine(row)?.translateToString(true) ?? '',
  );
  if (String(frames.at(-1)?.lines) !== String(lines))
    frames.push({ at: performance.now() - startedAt, lines });
}

/** Records a command and its output. `npx` is left out: it would look for the program in the folder of the customers. */
async function play(command: string, folder: string, environment: Record<string, string>): Promise<void> {
  await new Promise<void>((done) => screen.write(`$ ${command}\r\n`, done));
  takeSnapshot();
  const actual = command.replace(/^npx /, '');
  const child = spawn('script', ['-qefc', `stty cols ${SIZE.cols}; ${actual}`, '/dev/null'], {
    cwd: folder,
    env: {
      ...process.env,
      ...environment,
      PATH: `${join(projectFolder, 'node_modules/.bin')}:${process.env['PATH']}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (bytes: Buffer) => screen.write(bytes));
  const snapshots = setInterval(takeSnapshot, SNAPSHOT_INTERVAL_MS);
  await once(child, 'close');
  clearInterval(snapshots);
  await new Promise<void>((done) => screen.write('', done));
  takeSnapshot();
}

/** The port of `npm start`, whichever this server has. */
const SHOWN_URL = 'http://localhost:8787';

const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function toSvg(): string {
  const length = (frames.at(-1)?.at ?? 0) / SPEED + LAST_FRAME_MS;
  const percent = (at: number) => ((at / SPEED / length) * 100).toFixed(2);
  const [width, height] = [SIZE.cols * CHARACTER + 2 * MARGIN, SIZE.rows * LINE + 2 * MARGIN];
  const rules = frames.map(({ at }, number) => {
    const next = frames[number + 1]?.at;
    // A frame is hidden before and after its time. The last one stays, also for viewers without animation.
    const after = next === undefined ? '' : `${percent(next)}%,100%{visibility:hidden}`;
    return `@keyframes f${number}{0%{visibility:hidden}${percent(at)}%{visibility:visible}${after}}#f${number}{${next === undefined ? '' : 'visibility:hidden;'}animation:f${number} ${(length / 1_000).toFixed(2)}s step-end infinite}`;
  });
  const pictures = frames.map(({ lines }, number) => {
    const texts = lines.map((line, row) =>
      line === ''
        ? ''
        : `<text x="${MARGIN}" y="${MARGIN + (row + 0.75) * LINE}">${escapeXml(line.replace(server.url, SHOWN_URL))}</text>`,
    );
    return `<g id="f${number}">${texts.join('')}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" role="img" aria-label="An import in a terminal">`,
    `<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d7dde5;white-space:pre}${rules.join('')}</style>`,
    '<rect width="100%" height="100%" rx="8" fill="#12171d"/>',
    ...pictures,
    '</svg>\n',
  ].join('\n');
}

const folder = await mkdtemp(join(tmpdir(), 'peere-picture-'));
const server = await startServer();
try {
  await writeFile(join(folder, 'customers.csv'), toCsv(generateCustomers(ROWS)));
  const environment = { PEERE_URL: server.url, PEERE_API_KEY: 'peere_test_lagos_full' };
  startedAt = performance.now();
  await play('npx peere import customers.csv', folder, environment);
  await play('head -3 customers.phrases.csv', folder, environment);
  await play('tail -1 customers.failures.csv | cut -d, -f1,2,7,14-', folder, environment);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
await writeFile(join(projectFolder, 'docs', 'import.svg'), toSvg());
console.log(`docs/import.svg: ${frames.length} frames.`);
