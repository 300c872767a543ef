/** Guarantees of every route: authentication, scopes, and the shape of every response. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { Env } from '../../src/env.ts';
import { API_KEY_CACHE_MS, hashApiKey } from '../../src/api-keys/api-keys.service.ts';
import { API_KEYS } from '../support/banks.ts';
import { brokenDatabase, d1Error } from '../support/faulty-bindings.ts';
import { OPEN_ROUTES, ROUTES, type RouteExample } from '../support/routes.ts';
import { Service, type KnownCustomer, type ServiceResponse } from '../support/service.ts';

let service: Service;
let customer: KnownCustomer;

beforeEach(async () => {
  service = new Service();
  customer = await service.createCustomer();
});

function ask(
  route: RouteExample,
  apiKey: string | null,
  headers: Record<string, string> = {},
): Promise<ServiceResponse> {
  const { path, body } = route.request(customer);
  return service.request(route.method, path, { apiKey, headers, ...(body === undefined ? {} : { body }) });
}

it('lists every route of the service', () => {
  const app = createApp(() => {
    throw new Error('no request is made');
  });
  const registered = app.routes.filter(({ method }) => method !== 'ALL');
  const names = new Set(registered.map(({ method, path }) => `${method} ${path}`));
  const known = ROUTES.map(({ method, path }) => `${method} ${path}`);
  expect([...names].sort()).toEqual([...known, ...OPEN_ROUTES].sort());
});

describe.each(ROUTES)('$method $path', (route) => {
  it('answers a valid request', async () => {
    const answer = await ask(route, API_KEYS.full);
    expect(answer.status).toBe(route.status);
  });

  it('refuses a missing, unknown, malformed, truncated, revoked or expired API key with the same 401', async () => {
    const keys = {
      missing: null,
      unknown: 'peere_test_nobody',
      malformed: 'peere_test_lagos_full!',
      truncated: API_KEYS.full.slice(0, -1),
      revoked: API_KEYS.revoked,
      expired: API_KEYS.expired,
    };
    for (const [name, key] of Object.entries(keys)) {
      const answer = await ask(route, key);
      expect([name, answer.status]).toEqual([name, 401]);
      expect(answer.headers.get('WWW-Authenticate')).toMatch(/^Bearer /);
      expect(answer.body).toEqual({
        statusCode: 401,
        success: false,
        message: 'Authentication required',
        data: null,
        code: 'UNAUTHENTICATED',
        docs: 'https://api.example.com/errors#UNAUTHENTICATED',
        requestId: answer.headers.get('X-Request-Id'),
        errors: [{ field: 'Authorization', message: expect.any(String) }],
      });
    }
  });

  it('refuses an API key in the query, and any scheme but Bearer', async () => {
    const { path, body } = route.request(customer);
    const separator = path.includes('?') ? '&' : '?';
    const inQuery = await service.request(route.method, `${path}${separator}key=${API_KEYS.full}`, {
      apiKey: null,
      body,
    });
    expect(inQuery.status).toBe(401);
    const basic = await ask(route, null, { Authorization: `Basic ${btoa(`x:${API_KEYS.full}`)}` });
    expect(basic.status).toBe(401);
  });

  it('needs an API key with one of its scopes', async () => {
    for (const [key, scopes] of [
      [API_KEYS.unscoped, []],
      [API_KEYS.standard, ['customers:read']],
      [API_KEYS.writer, ['customers:write']],
    ] as const) {
      const allowed = route.scopes.some((scope) => (scopes as readonly string[]).includes(scope));
      const answer = await ask(route, key);
      expect(answer.status).toBe(allowed ? route.status : 403);
      if (!allowed) {
        expect(answer.body).toMatchObject({ code: 'FORBIDDEN', message: 'Insufficient permissions' });
      }
    }
  });

  it('refuses test keys in production, which is every environment but local, and accepts live ones', async () => {
    const { path, body } = route.request(customer);
    for (const ENVIRONMENT of ['production', 'Local', '', undefined]) {
      const deployed = new Service((bindings) => ({ ...bindings, ENVIRONMENT }) as Env);
      expect((await deployed.request(route.method, path, { apiKey: API_KEYS.full, body })).status).toBe(401);
    }
    const production = new Service(() => ({ ENVIRONMENT: 'production' }));
    expect((await production.request(route.method, path, { apiKey: API_KEYS.live, body })).status).toBe(
      route.status,
    );
  });

  it('forbids caches and proxies to store or compress the response, and identifies it', async () => {
    for (const key of [API_KEYS.full, null]) {
      const { headers } = await ask(route, key);
      expect(headers.get('Cache-Control')).toBe('no-store, no-transform');
      expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(headers.get('Strict-Transport-Security')).toMatch(/^max-age=31536000;/);
      expect(headers.get('X-Request-Id')).toMatch(/^req_[0-9A-Z]{26}$/);
      expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
    }
  });

  it('answers other methods with a 405 that names its own', async () => {
    const answer = await service.request('PUT', route.path.replace(/:\w+/, 'x'));
    expect(answer.status).toBe(405);
    expect(answer.body.code).toBe('METHOD_NOT_ALLOWED');
    expect(answer.headers.get('Allow')?.split(', ')).toContain(route.method);
  });

  it('answers with a 503 and Retry-After if D1 is unavailable, and does not say why', async () => {
    const error = d1Error('Network connection lost at secret-host');
    const away = new Service(({ SHARD_1 }) => ({
      SHARD_1: brokenDatabase(SHARD_1, error, (sql) => sql.includes('api_keys')),
    }));
    const { path, body } = route.request(customer);
    const answer = await away.request(route.method, path, { body });
    expect([answer.status, answer.body.code]).toEqual([503, 'UNAVAILABLE']);
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(answer.text).not.toMatch(/secret-host|D1_ERROR/);
  });

  it('answers with a 500 and a fixed text for a fault of the service, and logs where it was thrown', async () => {
    const error = new TypeError('secret in a message');
    const faulty = new Service(({ SHARD_1 }) => ({
      SHARD_1: brokenDatabase(SHARD_1, error, (sql) => sql.includes('api_keys')),
    }));
    const { path, body } = route.request(customer);
    const answer = await faulty.request(route.method, path, { body });
    expect(answer.body.message).toBe(
      answer.status === 500 ? 'Something went wrong on our side' : 'The service is busy; try again shortly',
    );
    expect(answer.text + JSON.stringify(faulty.log)).not.toContain('secret in a message');
    expect(faulty.log.at(-1)).toMatchObject({
      level: 'error',
      cause: expect.stringContaining('TypeError at'),
    });
  });
});

it('answers a URL that is too long with a 414 in the shape of every error', async () => {
  const answer = await service.get(`/v1/bank/customers?ids=${'a'.repeat(17_000)}`);
  expect([answer.status, answer.body.code, answer.body.success]).toEqual([414, 'URI_TOO_LONG', false]);
  expect(service.log.at(-1)).toMatchObject({ event: 'request', status: 414 });
});

it('accepts a URL with 100 ids and 100 phrases', async () => {
  const ids = Array(100).fill('cus_01K0000000000000000000000A').join();
  const phrases = Array(100).fill('material-material-material-material').join();
  const answer = await service.get(`/v1/bank/customers?ids=${ids}&phrases=${phrases}`);
  expect(answer.status).toBe(200);
});

it.each(['/v1/bank/nothing', '/'])(
  'takes no link of the response to %s from the request’s Host',
  async (path) => {
    for (const [configured, expected] of [
      ['https://public.example.org', 'https://public.example.org/errors'],
      ['https://public.example.org/', 'https://public.example.org/errors'],
      [undefined, '/errors'],
    ] as const) {
      const asked = new Service(() => ({ PUBLIC_URL: configured }));
      const response = await asked.fetch(new Request(`https://evil.example.net${path}`));
      const text = await response.text();
      expect(text).not.toContain('evil');
      expect(text).toContain(`"${expected}`);
    }
  },
);

it('answers an unknown URL with a 404 in the shape of every error', async () => {
  const answer = await service.get('/v1/bank/nothing');
  expect(answer.body).toMatchObject({ statusCode: 404, success: false, code: 'ROUTE_NOT_FOUND', data: null });
});

it('answers a HEAD request like its GET, without the body', async () => {
  const answer = await service.request('HEAD', `/v1/bank/customer?id=${customer.id}`);
  expect([answer.status, answer.text]).toEqual([200, '']);
});

it('accepts a revoked API key for at most 30 s, and an expired one not at all', async () => {
  let now = Date.now();
  const clocked = new Service(undefined, { now: () => now });
  const expiresAt = now + 10_000;
  await env.DIRECTORY.prepare('UPDATE api_keys SET expires_at = ? WHERE hash = ?')
    .bind(expiresAt, await hashApiKey(API_KEYS.standard))
    .run();
  const look = (key: string) => clocked.get(`/v1/bank/customer?id=${customer.id}`, key);
  expect((await look(API_KEYS.full)).status).toBe(200);
  expect((await look(API_KEYS.standard)).status).toBe(200);
  await env.DIRECTORY.prepare('UPDATE api_keys SET revoked_at = 1 WHERE hash = ?')
    .bind(await hashApiKey(API_KEYS.full))
    .run();
  now = expiresAt;
  expect((await look(API_KEYS.standard)).status).toBe(401);
  now += API_KEY_CACHE_MS;
  expect((await look(API_KEYS.full)).status).toBe(401);
});

it('logs one line per request, of names and counts only', async () => {
  service.log.length = 0;
  await service.get(`/v1/bank/customer?email=${customer.email}`);
  expect(service.log).toHaveLength(1);
  expect(service.log[0]).toMatchObject({ event: 'request', route: '/v1/bank/customer', status: 200 });
  expect(JSON.stringify(service.log)).not.toMatch(/adaobi/i);
});
