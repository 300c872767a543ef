/** Every route, and a request to it that succeeds. The shared suites walk this list; adding a route adds a row. */
import type { Scope } from '../../src/api-keys/scopes.ts';
import { sentCustomer } from './customers.ts';

/** A customer of Lagos, and the batch that brought it. */
export interface Known {
  id: string;
  phrase: string;
  email: string;
  batchId: string;
}

export interface KnownRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  /** Any one of them opens the route. */
  scopes: Scope[];
  /** A right request, about this customer of Lagos. */
  request(customer: Known): { path: string; body?: unknown };
  status: number;
}

/** Routes that ask for no API key, and say nothing that needs one. */
export const OPEN_ROUTES = ['GET /', 'GET /health'];

const READ: Scope[] = ['customers:read', 'customers:read:extended'];

export const ROUTES: KnownRoute[] = [
  {
    method: 'GET',
    path: '/v1/bank/customer',
    scopes: READ,
    request: ({ phrase }) => ({ path: `/v1/bank/customer?phrase=${phrase}` }),
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
  ...['', '/failures', '/customers'].map((what): KnownRoute => ({
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
