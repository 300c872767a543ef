/** `npm start` as a newcomer meets it: a real server, a real queue, real HTTP. `npm run smoke`. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeCustomers } from '../../tools/customers.ts';
import { startServer, type Server } from '../../tools/server.ts';

const FULL = 'peere_test_lagos_full';
const STANDARD = 'peere_test_lagos_standard';
/** The figures that 10,000 customers must reach on a laptop, and the slack that a busy 2-core CI machine gets. */
const ACCEPT_MS = 250;
const VISIBLE_MS = 10_000;
const SLACK = 8;

let server: Server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

async function ask(method: string, path: string, key: string, body?: unknown) {
  const startedAt = performance.now();
  const response = await fetch(server.url + path, {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json = JSON.parse(await response.text());
  return {
    status: response.status,
    headers: response.headers,
    json,
    milliseconds: performance.now() - startedAt,
  };
}

const look = (query: string, key = STANDARD) => ask('GET', `/v1/bank/customer?${query}`, key);

async function untilVisible(count: number): Promise<void> {
  for (;;) {
    const { headers } = await ask('GET', '/v1/bank/customers?limit=1', FULL);
    if (Number(headers.get('X-Total-Count')) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

void describe('npm start', () => {
  void it('a newcomer’s first curl works', async () => {
    const line = /curl -H 'Authorization: Bearer (\S+)' '(\S+)'/.exec(server.output());
    assert.ok(line?.[1] && line[2], 'npm start prints a curl');
    const answer = await fetch(line[2], { headers: { Authorization: `Bearer ${line[1]}` } });
    assert.equal(answer.status, 200);
  });

  void it('customers go in, are found by phrase, updated, listed', { timeout: 60_000 }, async () => {
    const sent = makeCustomers(20).filter((row) => row['accountNumber'] !== undefined);
    const created = await ask('POST', '/v1/bank/customers', FULL, { customers: sent });
    assert.equal(created.status, 201);
    const [id] = created.json.data.data.customerIds;
    await untilVisible(created.json.data.summary.successful);

    const { phrase, accountName } = (await look(`id=${id}`)).json.data;
    const miss = await look(`phrase=${phrase}`);
    assert.deepEqual([miss.json.data.accountName, miss.headers.get('X-Cache')], [accountName, 'MISS']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const hit = await look(`phrase=${phrase}`);
    assert.deepEqual([hit.json.data, hit.headers.get('X-Cache')], [miss.json.data, 'HIT']);

    const update = { id, update: { accountName: 'New Name' } };
    assert.equal((await ask('PATCH', '/v1/bank/customer', FULL, update)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal((await look(`phrase=${phrase}`)).json.data.accountName, 'New Name');

    const list = await ask('GET', `/v1/bank/customers?phrases=${phrase}`, FULL);
    assert.deepEqual(
      list.json.map((row: { id: string }) => row.id),
      [id],
    );
    const other = await look(`phrase=${phrase}`, 'peere_test_accra_full');
    assert.equal(other.status, 404);
  });

  void it(
    '10,000 customers are accepted and all visible within the figures',
    { timeout: 120_000 },
    async () => {
      const customers = makeCustomers(10_000, 7, 'many.example.com');
      const known = Number(
        (await ask('GET', '/v1/bank/customers?limit=1', FULL)).headers.get('X-Total-Count'),
      );
      const startedAt = performance.now();
      const created = await ask('POST', '/v1/bank/customers', FULL, { customers });
      assert.equal(created.status, 201);
      await untilVisible(known + created.json.data.summary.successful);
      const visible = performance.now() - startedAt;
      console.log(
        `accepted in ${created.milliseconds.toFixed(0)} ms (target ${ACCEPT_MS}), all visible in ${visible.toFixed(0)} ms (target ${VISIBLE_MS})`,
      );
      assert.ok(created.milliseconds < ACCEPT_MS * SLACK);
      assert.ok(visible < VISIBLE_MS * SLACK);
    },
  );
});
