/**
 * A real power cut while 10,000 customers are under way: the whole process group gets SIGKILL at a random moment after
 * the 201. `npm run crash` runs two rounds, `CRASH_ROUNDS=20 npm run crash` twenty.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { generateCustomers } from '../../tools/dev/customers.ts';
import { startServer, type Server } from '../../tools/dev/server.ts';

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 2);
/** A batch is processed within about two seconds, so this covers every stage. */
const MAX_KILL_DELAY_MS = 2_000;
const MAX_COMPLETION_MS = 120_000;

async function send(server: Server, method: string, path: string, body?: unknown) {
  const response = await fetch(server.url + path, {
    method,
    headers: { Authorization: 'Bearer peere_test_lagos_full', 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
}

async function total(server: Server): Promise<number> {
  const { headers } = await send(server, 'GET', '/v1/bank/customers?limit=1');
  return Number(headers.get('X-Total-Count'));
}

async function waitUntilCompleted(server: Server, path: string) {
  const giveUpAt = Date.now() + MAX_COMPLETION_MS;
  while (Date.now() < giveUpAt) {
    const { json } = await send(server, 'GET', path);
    if (json.data.completedAt !== null) return json.data;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('The batch was not completed.');
}

void describe('after a power cut', () => {
  for (let round = 1; round <= ROUNDS; round += 1) {
    void it(
      `every acknowledged customer exists exactly once (round ${round})`,
      { timeout: 300_000 },
      async () => {
        const first = await startServer();
        const known = await total(first);
        const customers = generateCustomers(10_000, round, `round${round}.example.com`);
        const { status, json, headers } = await send(first, 'POST', '/v1/bank/customers', { customers });
        assert.equal(status, 201);
        const moment = Math.random() * MAX_KILL_DELAY_MS;
        await new Promise((resolve) => setTimeout(resolve, moment));
        await first.kill();

        const second = await startServer(first.stateFolder);
        const batch = await waitUntilCompleted(second, headers.get('Location') ?? '');
        const accepted = json.data.summary.successful;
        const sent = /"event":"chunks_sent_again","chunks":(\d+)/.exec(second.output())?.[1] ?? 0;
        console.log(
          `killed ${moment.toFixed(0)} ms after the 201: ${sent} of 10 chunks had to be sent again`,
        );
        assert.equal(batch.summary.successful, accepted);
        assert.equal((await total(second)) - known, accepted);
        await second.stop();
        await rm(first.stateFolder, { recursive: true, force: true });
      },
    );
  }
});
