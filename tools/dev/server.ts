/** A server of one's own: `npm start` on a free port, with a state folder that goes away with it. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../lib/wrangler.ts';

const READY_WITHIN_MS = 120_000;
const ANSWER_WITHIN_MS = 10_000;

export interface Server {
  url: string;
  stateFolder: string;
  /** Everything it printed. */
  output: () => string;
  /** Ends it as Ctrl-C would, and removes its state. */
  stop: () => Promise<void>;
  /** Ends it and all that it started as a power cut would. Its state stays. */
  kill: () => Promise<void>;
}

/** Is this service answering there? `/health` asks for no API key, and nothing else numbers its answers in this way. */
export async function answers(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const answer = await fetch(`${url}/health`, { signal }).catch(() => null);
  return answer?.status === 200 && (answer.headers.get('X-Request-Id')?.startsWith('req_') ?? false);
}

/** @param stateFolder of a server that was killed, to go on with; without it, a new one */
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
    // A process group of its own, so that a signal reaches all of it.
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

  const giveUpAt = Date.now() + READY_WITHIN_MS;
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

/** @returns why nothing can listen there, in a sentence; undefined when something can */
export async function portFault(port: string, ip: string): Promise<string | undefined> {
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    return `A port is a whole number from 1 to 65535, which ${port} is not.`;
  }
  // `localhost` is two addresses, and either may be taken.
  for (const host of ip === 'localhost' ? ['127.0.0.1', '::1'] : [ip]) {
    try {
      await listen(Number(port), host);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE') return `Port ${port} is in use by another program.`;
      if (code === 'EACCES') return `Port ${port} is not this user's to listen on.`;
      // No such address here, such as one of IPv6: not the port's fault.
    }
  }
  return undefined;
}

export const freePort = () => listen(0);

/** Listens for a moment. @returns the port */
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
