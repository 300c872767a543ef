/**
 * A power cut while 10,000 customers are under way, for real: the whole process group gets SIGKILL at a random
 * moment after the 201. `npm run crash`, two rounds; `CRASH_ROUNDS=20 npm run crash`, twenty.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { makeCustomers } from '../../tools/dev/customers.ts';
import { startServer, type Server } from '../../tools/dev/server.ts';

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 2);
/** All of the batch is in within about two seconds: a moment up to then may find it at any stage. */
const KILL_WITHIN_MS = 2_000;
const CLOSED_WITHIN_MS = 120_000;

async function ask(server: Server, method: string, path: string, body?: unknown) {
  const response = await fetch(server.url + path, {
    method,
    headers: { Authorization: 'Bearer peere_test_lagos_full', 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
}

async function total(server: Server): Promise<number> {
  const { headers } = await ask(server, 'GET', '/v1/bank/customers?limit=1');
  return Number(headers.get('X-Total-Count'));
}

async function untilClosed(server: Server, address: string) {
  const giveUpAt = Date.now() + CLOSED_WITHIN_MS;
  while (Date.now() < giveUpAt) {
    const { json } = await ask(server, 'GET', address);
    if (json.data.completedAt !== null) return json.data;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('The batch was not closed.');
}

void describe('after a power cut', () => {
  for (let round = 1; round <= ROUNDS; round += 1) {
    void it(`every acknowledged customer is there, once (round ${round})`, { timeout: 300_000 }, async () => {
      const first = await startServer();
      const known = await total(first);
      const customers = makeCustomers(10_000, round, `round${round}.example.com`);
      const { status, json, headers } = await ask(first, 'POST', '/v1/bank/customers', { customers });
      assert.equal(status, 201);
      const moment = Math.random() * KILL_WITHIN_MS;
      await new Promise((resolve) => setTimeout(resolve, moment));
      await first.kill();

      const second = await startServer(first.stateFolder);
      const batch = await untilClosed(second, headers.get('Location') ?? '');
      const accepted = json.data.summary.successful;
      const sent = /"event":"chunks_sent_again","chunks":(\d+)/.exec(second.output())?.[1] ?? 0;
      console.log(`killed ${moment.toFixed(0)} ms after the 201: ${sent} of 10 chunks were still to go in`);
      assert.equal(batch.summary.successful, accepted);
      assert.equal((await total(second)) - known, accepted);
      await second.stop();
      await rm(first.stateFolder, { recursive: true, force: true });
    });
  }
});
