/** `peere listen`: events of the real server reach a receiver of the developer. `npm run importer`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { verifyWebhook, type WebhookEvent } from '@peere/client';
import { DEMO_CUSTOMER } from '../../src/openapi/examples.ts';
import { ended, EXIT, get, peere, send, startPeere } from './importer.ts';

const SECRET = `whsec_${Buffer.from('0123456789abcdef'.repeat(2)).toString('base64')}`;

/** A receiver that verifies what it gets. */
async function startReceiver(answer: (request: number) => number) {
  const events: WebhookEvent[] = [];
  const faults: unknown[] = [];
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    await verifyWebhook({ headers: request.headers, body: Buffer.concat(parts) }, SECRET).then(
      (event) => events.push(event),
      (fault: unknown) => faults.push(fault),
    );
    response.writeHead(answer(events.length)).end();
  };
  const server = createServer((request, response) => void receive(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  return { url, events, faults, stop: () => server.close() };
}

const update = (state: string) =>
  send('PATCH', '/v1/bank/customer', { id: DEMO_CUSTOMER.id, update: { state } });

void describe('peere listen', { timeout: 120_000 }, () => {
  void it('forwards each event once and in order, signed with the secret that it was given and does not print, until Ctrl-C', async () => {
    const receiver = await startReceiver((request) => (request === 2 ? 500 : 204));
    const child = startPeere([
      'listen',
      '--forward',
      receiver.url,
      '--secret',
      SECRET,
      '--types',
      'customer.updated',
    ]);
    const closed = ended(child, null);
    await once(child.stderr ?? child, 'data');
    for (let n = 0; n < 100 && receiver.events.length < 3; n += 1) {
      await update(`listened ${n}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill('SIGINT');
    const { code, output, stdout } = await closed;
    receiver.stop();
    assert.equal(code, EXIT.interrupted, output);
    assert.deepEqual(receiver.faults, []);
    assert.match(output, /Forwarding the events of Demo Bank Lagos to http:\/\/127\.0\.0\.1/);
    assert.ok(!output.includes(SECRET));
    const sequences = receiver.events.map(({ id }) => Number(id.split('_').at(-1)));
    assert.ok(sequences.length >= 3);
    assert.deepEqual(
      sequences,
      sequences.map((_, index) => (sequences[0] ?? 0) + index),
    );
    const lines = stdout.trimEnd().split('\n');
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d {2}customer\.updated {2}evt_bnk_demo_lagos_\d+ {2}cus_\w+ {2}→ 204, \d+ ms$/,
    );
    assert.match(lines[1] ?? '', /→ 500, \d+ ms$/);
    assert.match(
      output,
      /Stopped\. To go on after the last event: peere listen --after evt_bnk_demo_lagos_\d+/,
    );
  });

  void it('goes on after an event, and says if nobody answers', async () => {
    await update(`after ${Date.now()}`);
    const { body } = await get('/v1/bank/events?limit=1000');
    const before = body.data.at(-2)?.id ?? 'evt_bnk_demo_lagos_0';
    const gone = await startReceiver(() => 204);
    gone.stop();
    const child = startPeere(['listen', '--forward', gone.url, '--after', before, '--json']);
    const closed = ended(child, null);
    await once(child.stdout ?? child, 'data');
    child.kill('SIGTERM');
    const { code, stdout } = await closed;
    assert.equal(code, EXIT.interrupted);
    const line = JSON.parse(stdout.split('\n')[0] ?? '') as { id: string; answer: string };
    assert.deepEqual([line.id, line.answer], [body.data.at(-1)?.id, 'ECONNREFUSED']);
  });

  void it('names what is wrong in one sentence', async () => {
    for (const [args, words] of [
      [[], /required option '--forward <url>' not specified/],
      [['--forward', 'localhost:3000'], /must be a URL, such as http:\/\/localhost:3000\/hooks/],
      [['--forward', 'http://localhost:3000', '--types', 'batch.done'], /must be one of batch\.completed, /],
      [['--forward', 'http://localhost:3000', '--secret', 'x'], /secret must be the secret of a webhook/],
      [
        ['--forward', 'http://localhost:3000', '--after', 'evt_bnk_other_1'],
        /must be the id of an event of your bank/,
      ],
    ] as const) {
      const { code, output } = await peere(['listen', ...args]);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, words);
      assert.doesNotMatch(output, /\n\s+at /, 'no stack');
    }
    const { output } = await peere(['listen', '--forward', 'http://localhost:3000'], {
      PEERE_API_KEY: 'peere_test_network',
    });
    assert.match(output, /events:read/);
  });
});
