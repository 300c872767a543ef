/**
 * Runs before a tool, as `node -r ./tools/preflight.cjs tools/….ts`: says in one sentence what is wrong with the
 * installation, where Node itself would fail with a stack trace. Plain CommonJS for any Node from 18 on, because a Node
 * that is too old for the tools, which are TypeScript, must still be able to run this.
 */
const { existsSync } = require('node:fs');
const path = require('node:path');

/** The first that runs TypeScript without a flag and knows `import.meta.main`. npm installs one of our own (`node`). */
const MIN_NODE_MAJOR = 24;

function findFault() {
  if (!existsSync(path.join(__dirname, '..', 'node_modules', 'wrangler'))) {
    return 'Nothing is installed yet: run npm ci first.';
  }
  if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
    return `This needs Node ${MIN_NODE_MAJOR}, which npm installs with the project unless install scripts are off, and was started by Node ${process.versions.node}: run npm ci --ignore-scripts=false, then start it through npm.`;
  }
}

const fault = findFault();
if (fault !== undefined) {
  console.error(fault);
  process.exit(1);
}
