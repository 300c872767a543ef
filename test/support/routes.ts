/** Every route, with a request to it that succeeds. The shared suites test each of them; a new route adds a row. */
import { SCOPES, type Scope } from '../../src/api-keys/scopes.ts';
import { WEBHOOK_ID } from './banks.ts';
import { sentCustomer } from './customers.ts';
import type { KnownCustomer } from './service.ts';

export interface RouteExample {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  /** Each of them opens the route. */
  scopes: Scope[];
  /** A valid request about this customer of Lagos. */
  request(customer: KnownCustomer): { path: string; body?: unknown };
  status: number;
}

/** Routes that need no API key. */
export const OPEN_ROUTES = ['GET /', 'GET /health'];

const READ: Scope[] = ['customers:read', 'customers:read:extended'];

const NEW_WEBHOOK = { url: 'https://hooks.example.net/new', types: ['batch.completed'] };

const WEBHOOK_ROUTES = (
  [
    ['GET', '', 200],
    ['POST', '', 201, NEW_WEBHOOK],
    ['GET', '/:webhookId', 200],
    ['PATCH', '/:webhookId', 200, { types: ['customer.updated'] }],
    ['POST', '/:webhookId/enable', 200],
    ['POST', '/:webhookId/rotate-secret', 200],
    ['POST', '/:webhookId/test', 200],
    ['DELETE', '/:webhookId', 200],
  ] as const
).map(([method, rest, status, body]): RouteExample => {
  const path = `/v1/bank/webhooks${rest}`;
  const request = { path: path.replace(':webhookId', WEBHOOK_ID), ...(body === undefined ? {} : { body }) };
  return { method, path, scopes: ['webhooks:manage'], request: () => request, status };
});

export const ROUTES: RouteExample[] = [
  {
    method: 'GET',
    path: '/v1/bank',
    scopes: [...SCOPES],
    request: () => ({ path: '/v1/bank' }),
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/bank/customer',
    scopes: READ,
    request: ({ phrase }) => ({ path: `/v1/bank/customer?phrase=${phrase}` }),
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/network/payee',
    scopes: ['network:resolve'],
    request: ({ phrase }) => ({ path: `/v1/network/payee?phrase=${phrase}` }),
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/bank/customers',
    scopes: READ,
    request: ({ id }) => ({ path: `/v1/bank/customers?ids=${id}` }),
    status: 200,
  },
  {
    method: 'POST',
    path: '/v1/bank/customers',
    scopes: ['customers:write'],
    request: () => ({ path: '/v1/bank/customers', body: { customers: [sentCustomer(900)] } }),
    status: 201,
  },
  {
    method: 'PATCH',
    path: '/v1/bank/customer',
    scopes: ['customers:write'],
    request: ({ id }) => ({ path: '/v1/bank/customer', body: { id, update: { state: 'Lagos' } } }),
    status: 200,
  },
  ...['', '/failures', '/customers'].map((what): RouteExample => ({
    method: 'GET',
    path: `/v1/bank/customers/batches/:batchId${what}`,
    scopes: [...READ, 'customers:write'],
    request: ({ batchId }) => ({ path: `/v1/bank/customers/batches/${batchId}${what}` }),
    status: 200,
  })),
  {
    method: 'GET',
    path: '/v1/bank/customers/batches',
    scopes: [...READ, 'customers:write'],
    request: () => ({ path: '/v1/bank/customers/batches' }),
    status: 200,
  },
  {
    method: 'DELETE',
    path: '/v1/bank/customer',
    scopes: ['customers:erase'],
    request: ({ id }) => ({ path: `/v1/bank/customer?id=${id}` }),
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/bank/audit',
    scopes: ['audit:read'],
    request: () => ({ path: '/v1/bank/audit' }),
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/bank/events',
    scopes: ['events:read'],
    request: () => ({ path: '/v1/bank/events' }),
    status: 200,
  },
  ...WEBHOOK_ROUTES,
];
