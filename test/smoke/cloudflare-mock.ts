/**
 * A mock of Cloudflare's API on loopback, with the endpoints that wrangler uses here, for one account. The databases are
 * real D1s and the uploaded Worker runs, all in Miniflare, so that tests can ask the service itself what a command did.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { unstable_splitSqlQuery as splitSqlQuery } from 'wrangler';
import { freePort } from '../../tools/dev/server.ts';

const ACCOUNT = 'f0'.repeat(16);
const SCRIPT_NOT_FOUND = 10007;
/** The Worker that the mock's own queries go through. */
const ADMIN = 'admin';
const VERSION = randomUUID();

interface Binding {
  type: string;
  name: string;
  text?: string;
  json?: string | number;
  id?: string;
  namespace_id?: string;
  simple?: { limit: number; period: 10 | 60 };
}

/** Metadata of an upload of a Worker. */
export interface Metadata {
  main_module: string;
  compatibility_date: string;
  bindings: Binding[];
  keep_bindings?: string[];
  observability: { enabled: boolean; logs: { enabled: boolean; invocation_logs: boolean } };
}

/** A request that changed something, and its JSON or the metadata of its upload. */
export interface Change {
  what: string;
  // Each endpoint has its own shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

type Named = Record<string, unknown>;

export class CloudflareMock {
  /** Requests that changed something, in order, without account and ids. */
  readonly changes: Change[] = [];
  /** Called after each request that changed something, before its response. */
  afterChange: (change: Change) => void = () => {};
  /** Requests that the mock does not know; a test expects none. */
  readonly unknown: string[] = [];
  readonly secrets = new Map<string, string>();
  readonly #queues: Named[] = [];
  readonly #databases: Named[] = [];
  #worker: Metadata | undefined;
  #subdomain = { enabled: false, previews_enabled: false };
  readonly #deployment = {
    id: randomUUID(),
    source: 'api',
    strategy: 'percentage',
    author_email: 'operator@example.com',
    created_on: new Date(0).toISOString(),
    metadata: { created_on: new Date(0).toISOString() },
    versions: [{ version_id: VERSION, percentage: 100 }],
  };
  readonly #port: number;
  readonly #server: Server;
  readonly #miniflare: Miniflare;
  #script = 'export default { fetch: () => new Response() }';

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((request, response) => void this.#respond(request, response));
    this.#miniflare = new Miniflare(optionsOf(port, this.#script, [], [], []));
  }

  static async start(): Promise<CloudflareMock> {
    const mock = new CloudflareMock(await freePort());
    await new Promise<void>((resolve) => mock.#server.listen(0, '127.0.0.1', resolve));
    return mock;
  }

  async stop(): Promise<void> {
    this.#server.close();
    await this.#miniflare.dispose();
  }

  /** Environment that points wrangler to the mock. */
  get environment(): NodeJS.ProcessEnv {
    const { port } = this.#server.address() as AddressInfo;
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
      CLOUDFLARE_API_TOKEN: 'a-token-for-the-mock',
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
    };
  }

  /** URL of the running Worker. */
  async serviceUrl(): Promise<string> {
    return (await this.#miniflare.ready).origin;
  }

  /** Metadata of the last upload. */
  get worker(): Metadata {
    assert.ok(this.#worker, 'a Worker was uploaded');
    return this.#worker;
  }

  get places(): { queues: Named[]; databases: Named[] } {
    return { queues: this.#queues, databases: this.#databases };
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://mock');
    const path = url.pathname.replace('/client/v4', '').replace(`/accounts/${ACCOUNT}/`, '/');
    const body = await readBody(request);
    const what = `${request.method} ${path.replace(/[0-9a-f-]{32,}/, '*')}`;
    if (request.method !== 'GET') this.changes.push({ what, body: body.json });
    let outcome: { status?: number; result?: unknown; code?: number };
    try {
      outcome = await this.#handle(what, url, body);
    } catch (error) {
      outcome = { status: 400, code: 7500, result: String(error) };
    }
    if (request.method !== 'GET') this.afterChange({ what, body: body.json });
    const { status = 200, result, code } = outcome;
    const errors = code === undefined ? [] : [{ code, message: `mock: ${what}: ${String(result)}` }];
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ success: status < 400, errors, messages: [], result: result ?? null }));
  }

  async #handle(what: string, url: URL, { json, files }: Body) {
    const scriptMissing = this.#worker === undefined ? { status: 404, code: SCRIPT_NOT_FOUND } : undefined;
    const page = (rows: Named[]) => ({ result: (url.searchParams.get('page') ?? '1') === '1' ? rows : [] });
    const [, named] = /^GET \/d1\/database\/(peere-.*)$/.exec(what) ?? [];
    switch (what.replace(/\/(scripts|services|workers)\/peere-customers/, '/$1/:name')) {
      case 'GET /user':
        return { result: { id: 'user', email: 'operator@example.com' } };
      case 'GET /user/tokens/verify':
        return { result: { id: 'token', status: 'active' } };
      case 'GET /accounts':
        return page([{ id: ACCOUNT, name: 'Test' }]);
      case 'GET /memberships':
        return page([{ id: 'membership', account: { id: ACCOUNT, name: 'Test' } }]);
      case 'GET /queues': {
        const name = url.searchParams.get('name');
        return page(this.#queues.filter((queue) => name === null || queue['queue_name'] === name));
      }
      case 'POST /queues': {
        const queue = {
          queue_id: randomBytes(16).toString('hex'),
          producers_total_count: 0,
          consumers_total_count: 0,
        };
        this.#queues.push({ ...queue, producers: [], consumers: [], ...json });
        return { result: this.#queues.at(-1) };
      }
      case 'GET /d1/database':
        return page(this.#databases);
      case `GET /d1/database/${named}`: {
        const database = this.#databases.find(({ name }) => name === named);
        return database === undefined ? { status: 404, code: 7404 } : { result: database };
      }
      case 'POST /d1/database':
        await this.addDatabase({ uuid: randomUUID(), ...json });
        return { result: this.#databases.at(-1) };
      case 'POST /d1/database/*/query':
        return { result: await this.#query(/[0-9a-f-]{36}/.exec(url.pathname)?.[0] ?? '', json['sql']) };
      case 'GET /workers/scripts/:name/secrets':
        return (
          scriptMissing ?? { result: [...this.secrets.keys()].map((name) => ({ name, type: 'secret_text' })) }
        );
      case 'PUT /workers/scripts/:name/secrets':
        this.secrets.set(json['name'], json['text']);
        await this.#run();
        return scriptMissing ?? { result: { name: json['name'], type: 'secret_text' } };
      case 'POST /workers/scripts/:name/assets-upload-session':
        // Every file was uploaded already.
        return { result: { jwt: 'uploaded', buckets: [] } };
      case 'PUT /workers/scripts/:name':
        return { result: await this.#upload(json, files) };
      case 'POST /workers/scripts/:name/versions':
        return { result: await this.#upload(json, files) };
      case 'PATCH /workers/scripts/:name/script-settings':
        // Settings that do not belong to a version: logs.
        Object.assign(this.worker, json);
        return { result: json };
      case 'GET /workers/services/:name':
        return (
          scriptMissing ?? { result: { default_environment: { environment: 'production', script: {} } } }
        );
      case 'GET /workers/scripts/:name/deployments':
        return scriptMissing ?? { result: { deployments: [this.#deployment] } };
      case 'GET /workers/scripts/:name/versions/*':
        return { result: { ...this.#deployment, resources: { bindings: this.worker.bindings } } };
      case 'GET /workers/scripts/:name/settings':
        return scriptMissing ?? { result: { bindings: this.worker.bindings } };
      case 'GET /workers/workers/:name':
        return scriptMissing ?? { result: { name: 'worker', subdomain: this.#subdomain } };
      case 'POST /workers/scripts/:name/subdomain':
        this.#subdomain = json;
        return { result: json };
      case 'POST /workers/scripts/:name/domains/changeset':
        return { result: { added: [], removed: [], updated: [], conflicting: [] } };
      case 'GET /queues/*/consumers':
        return page([]);
      case 'POST /workers/scripts/:name/deployments':
      case 'PUT /workers/scripts/:name/domains/records':
      case 'PUT /workers/scripts/:name/schedules':
      case 'POST /queues/*/consumers':
        return { result: json };
      default:
        this.unknown.push(what);
        return scriptMissing ?? { status: 404, code: 7003, result: `no such route (${files.length} files)` };
    }
  }

  /** Runs the uploaded Worker, with its existing secrets and those of the upload, as Cloudflare does. */
  async #upload(metadata: Metadata, files: File[]) {
    if (metadata.keep_bindings?.includes('secret_text') !== true) this.secrets.clear();
    for (const { type, name, text = '' } of metadata.bindings) {
      if (type === 'secret_text') this.secrets.set(name, text);
    }
    const script = await files.find(({ name }) => name === metadata.main_module)?.text();
    assert.ok(script, 'the main module is uploaded');
    const before = this.#worker?.bindings ?? [];
    const bindings = metadata.bindings.map((binding) =>
      binding.type === 'inherit' ? (before.find(({ name }) => name === binding.name) ?? binding) : binding,
    );
    this.#worker = { ...this.#worker, ...metadata, bindings };
    this.#script = script;
    await this.#run();
    const { main_module: entry_point } = metadata;
    const resources = { script: { etag: 'etag' } };
    return {
      id: VERSION,
      startup_time_ms: 10,
      entry_point,
      resources,
      metadata: { has_preview: false },
    };
  }

  async #run(): Promise<void> {
    await this.#miniflare.setOptions(
      optionsOf(
        this.#port,
        this.#script,
        this.#worker?.bindings ?? [],
        [...this.secrets],
        this.#databases.map(({ uuid }) => String(uuid)),
      ),
    );
  }

  async addDatabase(database: Named): Promise<void> {
    this.#databases.push(database);
    await this.#run();
  }

  removeDatabase(uuid: string): void {
    this.#databases.splice(
      this.#databases.findIndex((database) => database['uuid'] === uuid),
      1,
    );
  }

  /** Queries a database. @param name at Cloudflare, such as peere-shard-1 */
  async rows<Row>(name: string, sql: string): Promise<Row[]> {
    const database = this.#databases.find((created) => created['name'] === name);
    const [result] = await this.#query(String(database?.['uuid']), sql);
    return (result?.results ?? []) as Row[];
  }

  async #query(id: string, sql: string) {
    const db = await this.#miniflare.getD1Database(id, ADMIN);
    return db.batch(splitSqlQuery(sql).map((statement) => db.prepare(statement)));
  }
}

interface Body {
  // oxlint-disable-next-line typescript/no-explicit-any
  json: any;
  files: File[];
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const bytes = await buffer(request);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) {
    return { json: bytes.length === 0 ? {} : JSON.parse(bytes.toString()), files: [] };
  }
  const form = await new Response(bytes, { headers: { 'Content-Type': type } }).formData();
  const files = [...form.values()].filter((value): value is File => value instanceof File);
  const metadata = form.get('metadata');
  return { json: typeof metadata === 'string' ? JSON.parse(metadata) : {}, files };
}

/**
 * @param port stays the same when the Worker is replaced
 * @param databases ids of all that there are, which the Worker need not be bound to
 */
function optionsOf(
  port: number,
  script: string,
  bindings: Binding[],
  secrets: [string, string][],
  databases: string[],
) {
  const service = serviceOptions(script, bindings, secrets);
  const admin = {
    name: ADMIN,
    modules: true,
    script: 'export default {}',
    d1Databases: Object.fromEntries(databases.map((id) => [id, id])),
  };
  return convertV4MiniflareOptions({ host: '127.0.0.1', port, workers: [service, admin] });
}

function serviceOptions(script: string, bindings: Binding[], secrets: [string, string][]) {
  const ofType = (type: string) => bindings.filter((binding) => binding.type === type);
  return {
    name: 'service',
    modules: true,
    script,
    compatibilityDate: '2026-11-01',
    d1Databases: Object.fromEntries(ofType('d1').map(({ name, id = '' }) => [name, id])),
    queueProducers: { BATCH_QUEUE: 'customer-batches', WEBHOOK_QUEUE: 'webhook-deliveries' },
    queueConsumers: { 'customer-batches': { maxBatchTimeout: 0 } },
    ratelimits: Object.fromEntries(
      ofType('ratelimit').map(({ name, namespace_id = '', simple = { limit: 1, period: 10 } }) => [
        name,
        { namespace_id, simple },
      ]),
    ),
    bindings: Object.fromEntries([
      ...ofType('plain_text').map(({ name, text = '' }) => [name, text] as const),
      ...ofType('json').map(({ name, json = 0 }) => [name, json] as const),
      ...secrets,
    ]),
  };
}
