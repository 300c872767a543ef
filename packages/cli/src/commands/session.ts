/** What every command shares: the connection to the service, the output, and how the program ends. */
import { createClient, type Bank, type ClientOptions, type PeereClient } from '@peere/client';
import type { Command } from 'commander';
import { fetchByHttp } from '../network/http.ts';
import { CommandError, EmptyFileError, StoppedError } from '../reading/errors.ts';
import { printable, printableJson } from '../terminal/words.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { explain } from './explain.ts';

/** Options that every command takes. */
interface GlobalOptions {
  url?: string;
  key?: string;
  json: boolean;
}

/** Somebody is waiting: an unreachable service is reported within a second, or within half a minute if it is silent. */
const WHILE_WAITING = { retries: 2, timeoutMs: 10_000 };

/** Which service a command talks to, and for which bank. */
export interface Greeting {
  /** Origin of the service. */
  origin: string;
  bank: Bank;
}

export class Session {
  readonly #program: Command;
  readonly #stop = new AbortController();

  constructor(program: Command) {
    this.#program = program;
    process.once('SIGINT', () => this.#stop.abort());
    process.once('SIGTERM', () => this.#stop.abort());
  }

  /** Aborted by Ctrl-C and SIGTERM. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Is the result for a program? Then stdout has JSON and nothing else. */
  get json(): boolean {
    return this.#program.opts<GlobalOptions>().json;
  }

  /** Where long commands report to a person. */
  get reporter() {
    return { log: (line: string) => this.printError(line), stderr: process.stderr };
  }

  print(line: string): void {
    process.stdout.write(`${printable(line)}\n`);
  }

  printJson(value: unknown): void {
    process.stdout.write(`${printableJson(value)}\n`);
  }

  /** Also for progress: stdout has results alone. */
  printError(line: string): void {
    process.stderr.write(`${printable(line)}\n`);
  }

  /** @throws CommandError if the URL or the API key is missing */
  connection(): Pick<ClientOptions, 'url' | 'key' | 'fetch'> {
    const { url, key } = this.#program.opts<GlobalOptions>();
    if (url === undefined) {
      throw new CommandError('The URL of the service is missing: use --url https://… or set PEERE_URL.');
    }
    if (key === undefined) {
      throw new CommandError('The API key is missing: set PEERE_API_KEY or use --key peere_….');
    }
    return { url, key, fetch: fetchByHttp };
  }

  /** For long commands. @throws CommandError, TypeError for a malformed URL or API key */
  client(): PeereClient {
    return createClient(this.connection());
  }

  /** For commands that ask one thing. @throws as `client` does */
  impatientClient(): PeereClient {
    return createClient({ ...this.connection(), ...WHILE_WAITING });
  }

  /** The beginning of a long command: says where it connects to, and finds out whose API key it has. */
  async greet(): Promise<Greeting> {
    const client = this.impatientClient();
    const { origin } = new URL(this.connection().url);
    this.printError(`Connecting to ${origin} …`);
    return { origin, bank: await client.getBank({ signal: this.signal }) };
  }

  /**
   * Runs a command, reports its errors and sets the exit code.
   * @param advise what to do next after an error, or after Ctrl-C (no error); undefined if its message says that
   */
  async run(
    work: () => Promise<ExitCode>,
    advise: (error?: unknown) => string | undefined = () => undefined,
  ): Promise<void> {
    try {
      process.exitCode = await work();
    } catch (error) {
      if (this.signal.aborted) {
        this.printError(['Stopped.', advise() ?? ''].join(' ').trim());
        process.exitCode = EXIT.interrupted;
      } else this.fail(error, advise(error));
    }
  }

  fail(error: unknown, advice?: string): void {
    const { url } = this.#program.opts<GlobalOptions>();
    const keySource = this.#program.getOptionValueSource('key') === 'env' ? 'PEERE_API_KEY' : '--key';
    const lines = explain(error, { url, keySource });
    const [sentence] = lines;
    // A sentence of this program continues on its line.
    if (sentence !== undefined && advice !== undefined && isOwn(error)) lines[0] = `${sentence} ${advice}`;
    else if (advice !== undefined) lines.push(advice);
    for (const line of lines) this.printError(line);
    process.exitCode = error instanceof EmptyFileError ? EXIT.none : EXIT.fault;
  }
}

function isOwn(error: unknown): boolean {
  return (error instanceof StoppedError ? error.cause : error) instanceof CommandError;
}
