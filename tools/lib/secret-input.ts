/** Secrets that a command is given: from a file or standard input, never as an argument or from the environment. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { pathOfCaller } from './arguments.ts';

/**
 * @param file `-` is standard input; without one, standard input too, and where that is a terminal, it asks for lines
 * and does not show them
 * @param question what it asks for
 */
export async function readSecretLines(file: string | undefined, question: string): Promise<string> {
  if (file !== undefined && file !== '-') return readFile(pathOfCaller(file), 'utf8');
  if (!process.stdin.isTTY) return text(process.stdin);
  console.error(`${question}, one to a line. An empty line ends. What you type is not shown.`);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  const typed: string[] = [];
  try {
    for (;;) {
      const line = await lines.question('');
      if (line.trim() === '') return typed.join('\n');
      typed.push(line);
    }
  } finally {
    lines.close();
  }
}
