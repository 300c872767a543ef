#!/usr/bin/env node
// The same as `peere import`.
process.argv.splice(2, 0, 'import');
await import('./peere.js');
