/** The real queue: Miniflare delivers to this Worker. */
import { env, exports } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomers } from '../support/customers.ts';

it('creates the customers of an accepted batch through the real queue', async () => {
  const headers = { Authorization: `Bearer ${API_KEYS.full}`, 'Content-Type': 'application/json' };
  const response = await exports.default.fetch('https://api.example.com/v1/bank/customers', {
    method: 'POST',
    headers,
    body: JSON.stringify({ customers: sentCustomers(1_200) }),
  });
  expect(response.status).toBe(201);
  await expect
    .poll(() => env.SHARD_1.prepare('SELECT status FROM batches').first('status'), { timeout: 15_000 })
    .toBe('COMPLETED');
  const list = await exports.default.fetch('https://api.example.com/v1/bank/customers', { headers });
  expect(list.headers.get('X-Total-Count')).toBe('1200');
});
