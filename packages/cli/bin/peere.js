#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/peere.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  // A clone of the project that was installed without install scripts. A published package has the file.
  process.stderr.write(
    'peere is not built yet: run npm ci --ignore-scripts=false in the project’s folder.\n',
  );
  process.exitCode = 3;
}
