/** Reads secrets from a file or standard input, never from an argument or the environment. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { pathOfCaller } from './arguments.ts';

/**
 * @param file `-` or undefined for standard input; if that is a terminal, prompts for lines without echoing them
 * @param question the prompt
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
