/** The cost of a text is bounded: a text that is too long for its field is never normalised. */
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { customerRow, customerUpdate } from '../../src/customers/customers.requests.ts';
import { OPERATIONS } from '../../src/openapi/operations.ts';
import { sentCustomer } from '../support/customers.ts';
import { Service } from '../support/service.ts';

const service = new Service();
let normalize: MockInstance<typeof String.prototype.normalize>;

beforeEach(() => {
  normalize = vi.spyOn(String.prototype, 'normalize');
});
afterEach(() => {
  normalize.mockRestore();
});

/** Length of the longest text that was normalised since the last call. */
function longestNormalised(): number {
  const lengths = normalize.mock.contexts.map((text) => String(text).length);
  normalize.mockClear();
  return Math.max(0, ...lengths);
}

/** The longest field (the URL of a picture), decomposed. */
const MAX_NORMALISED = 4 * 2_048;
const LONG = {
  letters: 'a'.repeat(50_000),
  marks: `a${'\u0301'.repeat(25_000)}${'\u0323'.repeat(25_000)}`,
};

it.each(Object.keys(customerRow.shape))('does not normalise a batch’s %s that is too long', async (field) => {
  for (const text of Object.values(LONG)) {
    const { body } = await service.post([sentCustomer(0, { [field]: text })]);
    expect(longestNormalised()).toBeLessThan(1_000);
    expect(body.data.failures[0].errors).toEqual([
      { field, message: expect.stringMatching(/^must be at most \d+ characters long$/) },
    ]);
  }
});

const updatable = Object.keys(customerUpdate.shape.update.shape);

it.each(['id', ...updatable])('does not normalise an update’s %s that is too long', async (field) => {
  for (const text of Object.values(LONG)) {
    const body =
      field === 'id' ? { id: text, update: { state: 'x' } } : { id: 'x', update: { [field]: text } };
    // The body of an update has at most 64 KB.
    const answer = await service.request('PATCH', '/v1/bank/customer', {
      body: JSON.parse(
        JSON.stringify(body, (_, value) => (typeof value === 'string' ? value.slice(0, 30_000) : value)),
      ),
    });
    expect(longestNormalised()).toBeLessThan(MAX_NORMALISED);
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [
        {
          field: field === 'id' ? 'id' : `update.${field}`,
          message: expect.stringMatching(/^must be at most \d+ characters long$/),
        },
      ],
    ]);
  }
});

const parameters = Object.values(OPERATIONS).flatMap(({ operation, query }) =>
  Object.keys(query).map((name) => ({ name, method: operation.method, path: operation.path })),
);

it.each(parameters)(
  'does not normalise $name of $method $path that is too long',
  async ({ name, method, path }) => {
    // A URL has at most 16 KB, and a mark takes six characters of it.
    for (const text of [LONG.letters.slice(0, 15_000), `a${'%CC%81%CC%A3'.repeat(1_250)}`]) {
      const asked = `${path.replace(':batchId', 'bat_x')}?${name}=${text}`;
      const body = method === 'POST' ? { body: { customers: [sentCustomer()] } } : {};
      const answer = await service.request(method, asked, body);
      // A payee's phrase gets the same 404, whatever is wrong with it.
      if (path === '/v1/network/payee') expect(answer.status).toBe(404);
      else expect([answer.status, answer.body.errors[0].field]).toEqual([400, expect.stringContaining(name)]);
      expect(longestNormalised()).toBeLessThan(600);
    }
  },
);

describe('a text that is short enough', () => {
  it('is not normalised if it has more than 30 combining marks in a row', async () => {
    for (const marks of ['\u0301'.repeat(31), '\u0323\u0301'.repeat(40)]) {
      const { body } = await service.post([sentCustomer(0, { address: `a${marks}` })]);
      expect(longestNormalised()).toBeLessThan(31);
      expect(body.data.failures[0].errors[0].message).toContain('30 combining marks');
    }
  });

  it('is accepted decomposed, at four times its composed length', async () => {
    const address = '\u1f82'.repeat(500);
    await service.createCustomers([sentCustomer(0, { address: address.normalize('NFD') })]);
    const stored = await service.env.SHARD_1.prepare('SELECT address FROM customers').first('address');
    expect(stored).toBe(address);
  });
});
