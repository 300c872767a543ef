/** Starts a server for a test or tool: `npm start` on a free port, with a temporary state folder. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../lib/wrangler.ts';

const MAX_START_MS = 120_000;
const MAX_RESPONSE_MS = 10_000;

export interface Server {
  url: string;
  stateFolder: string;
  /** @returns everything that it has printed */
  output: () => string;
  /** Stops it as Ctrl-C would, and removes its state folder. */
  stop: () => Promise<void>;
  /** Kills it and its child processes, as a power cut would. Its state folder stays. */
  kill: () => Promise<void>;
}

/** Does this service respond at a URL? `/health` needs no API key, and only this service has such request ids. */
export async function isServiceAt(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(MAX_RESPONSE_MS);
  const response = await fetch(`${url}/health`, { signal }).catch(() => null);
  return response?.status === 200 && (response.headers.get('X-Request-Id')?.startsWith('req_') ?? false);
}

/** @param stateFolder of a killed server, to continue with its data; a new one by default */
export async function startServer(stateFolder?: string): Promise<Server> {
  const folder = stateFolder ?? (await mkdtemp(join(tmpdir(), 'peere-customers-')));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const inspector = await freePort();
  const child = spawn(
    process.execPath,
    [
      'tools/dev/start.ts',
      '--verbose',
      '--port',
      `${port}`,
      '--inspector-port',
      `${inspector}`,
      '--persist-to',
      folder,
    ],
    // Its own process group, so that a signal reaches all of its processes.
    { cwd: projectFolder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const end = async (signal: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
    await ended;
  };

  const giveUpAt = Date.now() + MAX_START_MS;
  while (!output.includes('Ready.')) {
    if (child.exitCode !== null || Date.now() > giveUpAt) {
      await end('SIGKILL');
      throw new Error(`The server did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    stateFolder: folder,
    output: () => output,
    stop: async () => {
      await end('SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
  };
}

/** @returns a sentence that says why the port can't be used; undefined if it can */
export async function explainPort(port: string, ip: string): Promise<string | undefined> {
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    return `A port must be a whole number from 1 to 65535, not ${port}.`;
  }
  // `localhost` has two addresses, and either may be taken.
  for (const host of ip === 'localhost' ? ['127.0.0.1', '::1'] : [ip]) {
    try {
      await listen(Number(port), host);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE') return `Port ${port} is in use by another program.`;
      if (code === 'EACCES') return `This user may not listen on port ${port}.`;
      // The machine lacks this address, for example IPv6: the port is not at fault.
    }
  }
  return undefined;
}

export const freePort = () => listen(0);

/** Listens on a port for a moment. @returns the port */
function listen(port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen({ port, host }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
