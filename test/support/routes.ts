/** Every route, with a request to it that succeeds. The shared suites test each of them; a new route adds a row. */
import { SCOPES, type Scope } from '../../src/api-keys/scopes.ts';
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
];
