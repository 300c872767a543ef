/**
 * Runs before a tool, as `node -r ./tools/preflight.cjs tools/….ts`: reports a faulty installation in one sentence, where
 * Node itself would fail with a stack trace. It is CommonJS for Node 18 and newer, because a Node that is too old for
 * the tools, which are TypeScript, must be able to run it.
 */
const { existsSync } = require('node:fs');
const path = require('node:path');

/** The first version that runs TypeScript without a flag and has `import.meta.main`. npm installs it (package `node`). */
const MIN_NODE_MAJOR = 24;

function findFault() {
  if (!existsSync(path.join(__dirname, '..', 'node_modules', 'wrangler'))) {
    return 'Nothing is installed yet: run npm ci first.';
  }
  if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
    return `This needs Node ${MIN_NODE_MAJOR}, which npm installs with the project unless install scripts are disabled, but runs on Node ${process.versions.node}: run npm ci --ignore-scripts=false, then start it through npm.`;
  }
}

const fault = findFault();
if (fault !== undefined) {
  console.error(fault);
  process.exit(1);
}
