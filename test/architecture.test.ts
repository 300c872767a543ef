/**
 * Imports go one way. `AREAS` is the whole table: an area is a folder, a root file or a part of the batches, from the
 * top down, and may import only what its row names. Type-only imports count like all others.
 */
import { describe, expect, it } from 'vitest';

/** Each area and what it may import. Every import points further down in this table, so there can be no cycle. */
const AREAS: Record<string, string[]> = {
  'worker.ts': [
    'cron.ts',
    'app.ts',
    'deps.ts',
    'webhooks',
    'batches/process',
    'env.ts',
    'runtime.ts',
    'databases/moves',
  ],
  'cron.ts': ['webhooks', 'batches/process', 'events', 'databases', 'db'],
  'app.ts': [
    'deps.ts',
    'webhooks',
    'erasure',
    'payee',
    'batches/results',
    'batches/accept',
    'customers',
    'bank',
    'audit',
    'events',
    'health',
    'http',
    'env.ts',
    'errors.ts',
    'lib',
  ],
  'deps.ts': [
    'databases/moves',
    'payee',
    'batches/accept',
    'batches',
    'customers',
    'events',
    'health',
    'rate-limits',
    'api-keys',
    'crypto',
    'databases',
    'db',
    'env.ts',
    'runtime.ts',
    'limits.ts',
  ],
  'databases/moves': ['batches', 'customers', 'databases', 'db', 'runtime.ts', 'lib'],
  // Tools and tests read the document. No area of the Worker may import it.
  openapi: [
    'webhooks',
    'erasure',
    'payee',
    'batches/results',
    'batches/accept',
    'batches',
    'customers',
    'bank',
    'audit',
    'events',
    'health',
    'http',
    'api-keys',
    'db',
    'errors.ts',
    'limits.ts',
    'lib',
  ],
  webhooks: [
    'audit',
    'events',
    'http',
    'api-keys',
    'crypto',
    'databases',
    'db',
    'env.ts',
    'errors.ts',
    'runtime.ts',
    'limits.ts',
    'lib',
  ],
  erasure: [
    'batches/process',
    'batches',
    'customers',
    'audit',
    'events',
    'http',
    'api-keys',
    'databases',
    'errors.ts',
    'runtime.ts',
    'lib',
  ],
  payee: ['customers', 'http', 'api-keys', 'databases', 'db', 'errors.ts', 'runtime.ts', 'limits.ts', 'lib'],
  'batches/process': [
    'batches/accept',
    'batches',
    'customers',
    'events',
    'databases',
    'db',
    'runtime.ts',
    'log-events.ts',
  ],
  'batches/results': [
    'batches',
    'customers',
    'http',
    'api-keys',
    'paging',
    'databases',
    'db',
    'errors.ts',
    'limits.ts',
  ],
  'batches/accept': [
    'batches',
    'customers',
    'audit',
    'events',
    'http',
    'api-keys',
    'crypto',
    'databases',
    'db',
    'errors.ts',
    'runtime.ts',
    'limits.ts',
    'lib',
  ],
  batches: ['customers', 'events', 'http', 'paging', 'databases', 'db', 'errors.ts', 'runtime.ts', 'lib'],
  customers: [
    'audit',
    'events',
    'http',
    'api-keys',
    'paging',
    'crypto',
    'databases',
    'db',
    'errors.ts',
    'runtime.ts',
    'limits.ts',
    'lib',
  ],
  bank: ['http', 'rate-limits', 'api-keys', 'databases', 'limits.ts', 'lib'],
  audit: ['http', 'api-keys', 'paging', 'databases', 'db', 'lib'],
  events: ['http', 'databases', 'db', 'errors.ts', 'runtime.ts', 'limits.ts', 'lib'],
  health: ['http', 'databases', 'db', 'errors.ts', 'runtime.ts', 'lib'],
  http: ['rate-limits', 'api-keys', 'paging', 'db', 'env.ts', 'errors.ts', 'runtime.ts', 'limits.ts', 'lib'],
  'rate-limits': ['env.ts', 'errors.ts', 'runtime.ts'],
  'api-keys': ['databases', 'db', 'runtime.ts'],
  paging: ['crypto', 'errors.ts'],
  crypto: ['env.ts', 'errors.ts', 'runtime.ts'],
  databases: ['db', 'env.ts', 'errors.ts', 'runtime.ts', 'lib'],
  db: ['runtime.ts', 'lib'],
  'env.ts': [],
  'errors.ts': [],
  'runtime.ts': ['log-events.ts'],
  'limits.ts': [],
  'log-events.ts': [],
  // The console runs in browsers: the page, and the Web Worker that imports files by the code of the CLI.
  'console/main.tsx': ['console/app.tsx'],
  'console/app.tsx': [
    'console/activity',
    'console/import',
    'console/customers',
    'console/session',
    'console/ui',
    'client',
  ],
  'console/activity': ['console/session', 'console/ui', 'client'],
  'console/import': ['console/session', 'console/ui', 'cli/batches', 'cli/reading', 'client'],
  'console/customers': ['console/session', 'console/ui', 'client', 'lib'],
  'console/session': ['console/ui', 'client'],
  'console/ui': ['client'],
  'cli/cli.ts': ['cli/commands'],
  'cli/commands': [
    'cli/reconcile',
    'cli/export',
    'cli/import',
    'cli/network',
    'cli/terminal',
    'cli/files',
    'cli/batches',
    'cli/reading',
    'client',
  ],
  'cli/reconcile': [
    'cli/export',
    'cli/import',
    'cli/network',
    'cli/terminal',
    'cli/files',
    'cli/batches',
    'cli/reading',
    'client',
    'lib',
  ],
  'cli/export': ['cli/network', 'cli/terminal', 'cli/files', 'cli/reading', 'client'],
  'cli/import': ['cli/network', 'cli/terminal', 'cli/files', 'cli/batches', 'cli/reading', 'client'],
  'cli/network': ['client'],
  'cli/terminal': [],
  'cli/files': ['cli/batches', 'cli/reading'],
  'cli/batches': ['cli/reading', 'client'],
  'cli/reading': ['client'],
  client: [],
  lib: [],
};

interface SourceFile {
  /** Below `src/`, or below `packages/` without its `src/`: `customers/customers.routes.ts`, `cli/reading/csv.ts`. */
  path: string;
  /** Without comments. */
  code: string;
  /** What it imports, as it is written. */
  imports: string[];
}

const texts = {
  ...import.meta.glob<string>('../src/**/*.ts', { query: '?raw', import: 'default', eager: true }),
  ...import.meta.glob<string>('../packages/*/src/**/*.{ts,tsx}', {
    query: '?raw',
    import: 'default',
    eager: true,
  }),
};

/** Block comments, and line comments that stand alone or after code, but not the `//` of a URL. */
const COMMENTS = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;
/** `import … from`, `export … from`, `import '…'` and `import('…')`. */
const IMPORT = /(?:^(?:import|export)\b[^'"`;=]*?\bfrom\s*|^import\s*|\bimport\(\s*)'([^']+)'/gm;

function toSourceFile(path: string, text: string): SourceFile {
  const code = text.replaceAll(COMMENTS, '');
  const imports = [...code.matchAll(IMPORT)].map(([, specifier = '']) => specifier);
  return { path, code, imports };
}

const files = Object.entries(texts).map(([name, text]) =>
  toSourceFile(name.replace(/^\.\.\/(src|packages)\//, '').replace('/src/', '/'), text),
);

/** Folders with several areas, one for each file or folder in them. */
const DIVIDED = new Set(['batches', 'cli', 'console', 'databases']);

function areaOf(path: string): string {
  const [first = '', second = '', ...deeper] = path.split('/');
  if (!DIVIDED.has(first)) return first;
  // The files that all parts of the batches or databases share are one area.
  const isShared = (first === 'batches' || first === 'databases') && deeper.length === 0;
  return isShared ? first : `${first}/${second}`;
}

/** The file of this project that an import leads to; undefined for a package from npm. */
function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier === '@peere/client') return 'client/client.ts';
  return specifier.startsWith('.')
    ? new URL(specifier, `file:///${from}`).pathname
        .slice(1)
        .replace(/^src\//, '')
        .replace('/src/', '/')
    : undefined;
}

/** Imports from one area into another: `customers -> db`, and the files of each. */
function edgesOf(sources: SourceFile[]): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  for (const { path, imports } of sources) {
    for (const specifier of imports) {
      const target = resolveImport(path, specifier);
      // A package reads its version in its own package.json.
      if (target === undefined || target.endsWith('package.json')) continue;
      const [from, to] = [areaOf(path), areaOf(target)];
      if (from !== to) edges.set(`${from} -> ${to}`, [...(edges.get(`${from} -> ${to}`) ?? []), path]);
    }
  }
  return edges;
}

const allowed = Object.entries(AREAS).flatMap(([from, targets]) => targets.map((to) => `${from} -> ${to}`));

/** Every import that the table does not allow: the edge, and the files that have it. */
function forbiddenEdges(sources: SourceFile[]): string[] {
  return [...edgesOf(sources)]
    .filter(([edge]) => !allowed.includes(edge))
    .map(([edge, paths]) => `${edge} in ${paths.join(', ')}`);
}

/** The files that lead back to themselves by imports. */
function cyclesOf(sources: SourceFile[]): string[] {
  const targets = new Map(
    sources.map(({ path, imports }) => [path, imports.map((specifier) => resolveImport(path, specifier))]),
  );
  const reachableFrom = (start: string) => {
    const found = new Set<string>();
    const open = [start];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      for (const target of targets.get(path) ?? []) {
        if (target === undefined || found.has(target)) continue;
        found.add(target);
        open.push(target);
      }
    }
    return found;
  };
  return [...targets.keys()].filter((path) => reachableFrom(path).has(path));
}

const hasPackages = files.some(({ path }) => path.startsWith('cli/'));
const isPresent = (area: string) => hasPackages || !/^(cli\/|console\/|client$)/.test(area);

describe('the table of areas', () => {
  it('has every file, and no area without files', () => {
    const areas = new Set(files.map(({ path }) => areaOf(path)));
    expect([...areas].sort()).toEqual(Object.keys(AREAS).filter(isPresent).sort());
  });

  it('allows imports downwards only, so that no areas can import each other', () => {
    const order = Object.keys(AREAS);
    for (const [from, targets] of Object.entries(AREAS)) {
      for (const to of targets) {
        expect([from, to, order.indexOf(to) > order.indexOf(from)]).toEqual([from, to, true]);
      }
    }
  });

  it('allows every import that there is', () => {
    expect(forbiddenEdges(files)).toEqual([]);
  });

  it('allows no import that there is not', () => {
    const used = edgesOf(files);
    const present = allowed.filter((edge) => edge.split(' -> ').every(isPresent));
    expect(present.filter((edge) => !used.has(edge))).toEqual([]);
  });

  it('leaves no files of one area that import each other', () => {
    expect(cyclesOf(files)).toEqual([]);
  });

  it('finds files that import each other, over any number of others and by their types alone', () => {
    const circle = [
      toSourceFile('lib/a.ts', "import { b } from './b.ts';"),
      toSourceFile('lib/b.ts', "import type { C } from './c.ts';"),
      toSourceFile('lib/c.ts', "export { a } from './a.ts';"),
      toSourceFile('lib/d.ts', "import { a } from './a.ts';"),
    ];
    expect(cyclesOf(circle)).toEqual(['lib/a.ts', 'lib/b.ts', 'lib/c.ts']);
  });

  it.each([
    ['lib/ids.ts', "import type { Env } from '../env.ts';", 'lib -> env.ts'],
    [
      'customers/customers.view.ts',
      "import { batchPath } from '../batches/failures.ts';",
      'customers -> batches',
    ],
    ['batches/failures.ts', "export { plan } from './accept/plan.ts';", 'batches -> batches/accept'],
    ['http/auth.ts', "import {\n  type Deps,\n} from '../deps.ts';", 'http -> deps.ts'],
    ['db/session.ts', "let app: import('../app.ts').App;", 'db -> app.ts'],
    ['http/router.ts', "import '../openapi/openapi.ts';", 'http -> openapi'],
    ['client/client.ts', "import { row } from '../cli/reading/row.ts';", 'client -> cli/reading'],
  ])('forbids %s to write %s', (path, text, edge) => {
    expect(forbiddenEdges([toSourceFile(path, text)])).toEqual([`${edge} in ${path}`]);
  });
});

/** What some files may do and no others. The files are either all that do it, or named by a pattern. */
interface Ownership {
  what: string;
  /** Does this file do it? */
  does: (file: SourceFile) => boolean;
  by: string[] | RegExp;
  /** A file that does it and must not. */
  wrong: [path: string, text: string];
}

const mentions = (pattern: RegExp) => (file: SourceFile) => pattern.test(file.code);
const importsFrom = (pattern: RegExp) => (file: SourceFile) =>
  file.imports.some((specifier) => pattern.test(specifier));

const TABLES =
  'banks|shards|bank_moves|tenants|guard|api_keys|customers|batches|batch_chunks|batch_failures|idempotency_keys|audit_log|retired_phrases|payee_misses|events|webhook_endpoints';

const DRIZZLE_TABLES =
  'banks|shards|bankMoves|tenants|guard|apiKeys|customers|batches|batchChunks|batchFailures|idempotencyKeys|auditLog|retiredPhrases';

const OWNERSHIPS: Ownership[] = [
  {
    what: 'know the composition root',
    does: importsFrom(/\/deps\.ts$/),
    by: ['app.ts', 'worker.ts'],
    wrong: ['erasure/erasure.service.ts', "import type { Deps } from '../deps.ts';"],
  },
  {
    what: 'name a table in SQL',
    does: mentions(new RegExp(`\\b(FROM|INTO|UPDATE|JOIN)\\s+(${TABLES})\\b`)),
    by: /\.store\.ts$|^db\//,
    wrong: ['customers/customers.service.ts', 'const query = `SELECT id\n  FROM customers`;'],
  },
  {
    what: 'build statements',
    does: mentions(/^import (?!type\b)[^;]*from 'drizzle-orm'/m),
    by: /\.store\.ts$|^db\/|^paging\/keyset\.ts$/,
    wrong: ['batches/accept/commit.ts', "import { eq, sql } from 'drizzle-orm';"],
  },
  {
    what: 'know the columns of a table: stores, and what is derived from the columns of customers',
    does: (file) =>
      importsFrom(/\.table\.ts$/)(file) ||
      mentions(new RegExp(`\\b(${DRIZZLE_TABLES})\\b[^;]*/schema\\.ts'`))(file),
    by: /\.store\.ts$|^db\/|^customers\/(customers\.view|shown-shape)\.ts$|^batches\/staged-customer\.ts$/,
    wrong: ['customers/customers.service.ts', "import { apiKeys } from '../db/schema.ts';"],
  },
  {
    what: 'know the bindings of databases; the reference has examples of their names',
    does: mentions(/\bDIRECTORY\b|\bSHARD_\d|\bD1Database\b|D1DatabaseSession\b/),
    by: /^databases\/|^db\/|^env\.ts$|^openapi\//,
    wrong: ['customers/customers.service.ts', 'await env.SHARD_1.prepare(text).all()'],
  },
  {
    what: 'reach a shard without a tenant: sweeps, the payee question, /health, and who hands these their databases',
    does: (file) => importsFrom(/\/databases\/(databases|shard-job)\.ts$/)(file),
    by: [
      'batches/process/retention.ts',
      'batches/process/sweep.ts',
      'cron.ts',
      'deps.ts',
      'events/retention.ts',
      'health/health.service.ts',
      'payee/payee-routing.ts',
      'payee/payee.service.ts',
      'webhooks/wake-due.ts',
    ],
    wrong: ['customers/customers.service.ts', "import type { Databases } from '../databases/databases.ts';"],
  },
  {
    what: 'run statements: everything else has its tenant do it',
    does: mentions(/\bexecute(Batch|Behind|Nearest)?(<[^>]*>)?\(/),
    by: /^databases\/|^db\/|^api-keys\/|^health\/|^payee\/payee-routing\.ts$|^batches\/process\/(sweep|retention)\.ts$|^events\/retention\.ts$|^webhooks\/wake-due\.ts$/,
    wrong: ['audit/audit.service.ts', 'await execute(db, selectChanges(bankId, page))'],
  },
  {
    what: 'touch the Cache API',
    does: mentions(/\bcaches\./),
    by: ['customers/data-centre-cache.ts'],
    wrong: ['health/health.service.ts', 'await caches.default.match(url)'],
  },
  {
    what: 'touch a queue',
    does: mentions(/\b(BATCH_QUEUE|WEBHOOK_QUEUE|Queue)\b/),
    by: ['batches/batch-queue.ts', 'deps.ts', 'env.ts', 'events/webhook-queue.ts', 'worker.ts'],
    wrong: ['batches/process/sweep.ts', 'env.BATCH_QUEUE.sendBatch([])'],
  },
  {
    what: 'know the dead-letter queue',
    does: mentions(/\bDEAD_LETTER_QUEUE\b/),
    by: ['env.ts', 'worker.ts'],
    wrong: ['batches/process/consumer.ts', 'if (queue === DEAD_LETTER_QUEUE) {}'],
  },
  {
    what: 'send requests',
    does: mentions(/\bfetch\(/),
    by: /^(worker|app|runtime)\.ts$|^http\/welcome\.ts$|^webhooks\/receiver\.ts$|^client\/|^cli\/|^openapi\/site\//,
    wrong: ['customers/customers.service.ts', 'await fetch(customer.displayPicture)'],
  },
  {
    what: 'know Hono',
    does: importsFrom(/^(@?hono\b)/),
    by: /^http\/|^app\.ts$/,
    wrong: ['customers/customers.routes.ts', "import type { Context } from 'hono';"],
  },
  {
    what: 'know HTTP: rules and stores are free of it',
    does: importsFrom(/\/http\//),
    by: /\.(routes|operations|requests|responses)\.ts$|^app\.ts$|^openapi\//,
    wrong: ['customers/customers.service.ts', "import { toEtag } from '../http/conditional.ts';"],
  },
  {
    what: 'run statements of a store: routes leave that to services',
    does: importsFrom(/\.store\.ts$|\/db\/statements\.ts$/),
    by: /^(?!.*\.(routes|operations)\.ts$)/,
    wrong: ['audit/audit.routes.ts', "import { selectChanges } from './audit.store.ts';"],
  },
  {
    what: 'use Node: the Worker, the client, the console, and what reads and sends rows run without it',
    does: importsFrom(/^node:/),
    by: /^cli\/(?!reading\/|batches\/)/,
    wrong: ['cli/reading/csv.ts', "import { readFileSync } from 'node:fs';"],
  },
  {
    what: 'import single files of the client: none, the importer uses its public interface',
    does: importsFrom(/\/client\//),
    by: [],
    wrong: ['cli/batches/submit.ts', "import { Transport } from '../../../client/src/transport.ts';"],
  },
];

describe.each(OWNERSHIPS)('only the files meant for it $what', ({ does, by, wrong }) => {
  it('in this project', () => {
    const paths = files.filter(does).map(({ path }) => path);
    if (by instanceof RegExp) expect(paths.filter((path) => !by.test(path))).toEqual([]);
    else expect(paths.sort()).toEqual(by.toSorted());
  });

  it('and this test finds one that must not', () => {
    const file = toSourceFile(...wrong);
    expect(does(file)).toBe(true);
    expect(by instanceof RegExp ? by.test(file.path) : by.includes(file.path)).toBe(false);
  });
});
