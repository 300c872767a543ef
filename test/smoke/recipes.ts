/** Runs the recipes of the client's README against the real server: it creates a webhook for each and tests it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type PeereClient } from '@peere/client';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';

/** Creates a webhook before its receiver runs, because the receiver needs the secret. */
async function createWebhook(peere: PeereClient, url: string) {
  const { id, secret } = await peere.webhooks.create({ url, types: ['batch.completed'] });
  const test = async () => {
    assert.deepEqual({ ...(await peere.webhooks.test(id)), milliseconds: 0 }, DELIVERED);
    // Somebody else's request.
    assert.equal((await fetch(url, { method: 'POST', body: '{}' })).status, 400);
  };
  return { secret, test };
}

const DELIVERED = { delivered: true, statusCode: 204, milliseconds: 0 };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** @param folder where the client is installed */
export async function runNodeRecipe(folder: string, serverUrl: string, text: string): Promise<void> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const peere = createClient({ url: serverUrl, key: 'peere_test_lagos_full' });
  const { secret, test } = await createWebhook(peere, url);
  await writeFile(join(folder, 'receiver.ts'), text);
  const child = spawn(process.execPath, [join(folder, 'receiver.ts')], {
    env: { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) },
  });
  let output = '';
  child.stdout.on('data', (part) => (output += String(part)));
  try {
    const isUp = () =>
      fetch(url).then(
        () => true,
        () => false,
      );
    for (let n = 0; n < 100 && !(await isUp()); n += 1) await sleep(100);
    await test();
    for (let n = 0; n < 100 && output === ''; n += 1) await sleep(50);
    assert.match(output, /^ping png_\w+\n$/);
  } finally {
    child.kill();
  }
}

/** @param folder where the client is installed */
export async function runWorkerRecipe(folder: string, serverUrl: string, text: string): Promise<void> {
  const bundle = await build({
    stdin: { contents: text, loader: 'ts', resolveDir: folder },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const port = await freePort();
  const peere = createClient({ url: serverUrl, key: 'peere_test_lagos_full' });
  const { secret, test } = await createWebhook(peere, `http://127.0.0.1:${port}/`);
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      name: 'receiver',
      modules: true,
      script: bundle.outputFiles[0]?.text ?? '',
      compatibilityDate: '2026-11-01',
      bindings: { WEBHOOK_SECRET: secret },
      port,
    }),
  );
  try {
    await worker.ready;
    await test();
  } finally {
    await worker.dispose();
  }
}
