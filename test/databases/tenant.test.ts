/** A bank's data is where the directory says: what happens to requests and messages that think otherwise. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { Databases } from '../../src/databases/databases.ts';
import { firstWordsOf, MAX_SHARDS, shardOfPhrase } from '../../src/databases/first-words.ts';
import { isConstraintFailure, isDatabaseUnavailable, TenantNotOpenError } from '../../src/db/errors.ts';
import { BOOKMARK_HEADER } from '../../src/http/responses.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { API_KEYS, LAGOS, WEBHOOK_ID } from '../support/banks.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { countRows, dumpTables, selectRows } from '../support/database.ts';
import {
  brokenDatabase,
  connectionLost,
  faultyDatabase,
  interceptCalls,
} from '../support/faulty-bindings.ts';
import { Meter } from '../support/meter.ts';
import { moveByHand, setHome, setTenant } from '../support/move-by-hand.ts';
import { phraseStore } from '../support/phrase-store.ts';
import { Service, type KnownCustomer } from '../support/service.ts';

/** Its isolate remembers that Lagos is in SHARD_1. */
let service: Service;
let ada: KnownCustomer;

beforeEach(async () => {
  service = new Service();
  ada = await service.createCustomer();
});

const lookUp = (by = service) => by.get(`/v1/bank/customer?id=${ada.id}`);
const update = (by = service) => by.updateCustomer(ada.id, { state: 'Kano' });
const inShard2 = async <Row>(sql: string) => (await env.SHARD_2.prepare(sql).all<Row>()).results;

/** Every change that a bank can make. */
const CHANGES: [string, () => Promise<{ status: number; headers: Headers }>][] = [
  ['a batch', () => service.post([sentCustomer(2)])],
  ['an update', update],
  ['an erasure', () => service.eraseCustomer(ada.id)],
  [
    'a new webhook',
    () =>
      service.request('POST', '/v1/bank/webhooks', {
        body: { url: 'https://hooks.example.org/', types: ['customer.updated'] },
      }),
  ],
  ['a webhook’s secret', () => service.request('POST', `/v1/bank/webhooks/${WEBHOOK_ID}/rotate-secret`)],
  ['a webhook’s test', () => service.request('POST', `/v1/bank/webhooks/${WEBHOOK_ID}/test`)],
  ['a webhook’s end', () => service.request('DELETE', `/v1/bank/webhooks/${WEBHOOK_ID}`)],
];

describe('a bank that is being moved', () => {
  it.each(CHANGES)('gets 503 with Retry-After for %s, and nothing is changed', async (_, change) => {
    await setTenant('SHARD_1', LAGOS, 'leaving', 1);
    const before = await dumpTables(
      'customers',
      'batches',
      'audit_log',
      'webhook_endpoints',
      'events',
      'tenants',
    );
    const { status, headers } = await change();
    expect([status, headers.has('Retry-After')]).toEqual([503, true]);
    expect(
      await dumpTables('customers', 'batches', 'audit_log', 'webhook_endpoints', 'events', 'tenants'),
    ).toBe(before);
  });

  it.each(['leaving', 'standby'])('is read while it is %s', async (state) => {
    await setTenant('SHARD_1', LAGOS, state, 1);
    expect((await lookUp()).status).toBe(200);
    expect((await service.get('/v1/bank/customers')).body).toHaveLength(1);
  });

  it.each(['arriving', 'moved'])(
    'gets 503 for a read if it is %s where the directory says',
    async (state) => {
      await setTenant('SHARD_1', LAGOS, state, 1);
      for (const path of [
        `/v1/bank/customer?id=${ada.id}`,
        '/v1/bank/customers',
        '/v1/bank/audit',
        '/v1/bank',
      ]) {
        const { status, headers } = await service.get(path);
        expect([path, status, headers.has('Retry-After')]).toEqual([path, 503, true]);
      }
    },
  );

  it('keeps no other bank from changing its data', async () => {
    await setTenant('SHARD_1', LAGOS, 'leaving', 1);
    expect((await service.post([sentCustomer(2)], API_KEYS.other)).status).toBe(201);
  });
});

describe('an isolate that remembers the old shard', () => {
  it('finds the customer in the new one, by id, in lists and by a phrase that is not cached', async () => {
    await moveByHand(LAGOS, 'SHARD_2');
    expect((await lookUp()).body.data.id).toBe(ada.id);
    expect((await service.get('/v1/bank/customers')).body).toHaveLength(1);
    const byPhrase = await service.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
    expect(byPhrase.body.data.id).toBe(ada.id);
  });

  it('makes each change once, in the new one', async () => {
    await moveByHand(LAGOS, 'SHARD_2');
    expect((await update()).status).toBe(200);
    expect(await inShard2('SELECT state FROM customers')).toEqual([{ state: 'Kano' }]);
    expect((await service.post([sentCustomer(2)])).status).toBe(201);
    await service.deliverAll();
    expect(await inShard2('SELECT customer_count AS n FROM tenants')).toEqual([{ n: 2 }]);
    expect(await countRows('customers', `bank_id = '${LAGOS}'`)).toBe(0);
    expect((await service.eraseCustomer(ada.id)).status).toBe(200);
    expect(await inShard2('SELECT count(*) AS n FROM customers')).toEqual([{ n: 1 }]);
  });

  it('gives a batch that was refused in the old one phrases of the new one, and the ids that it had', async () => {
    await lookUp();
    let isMoved = false;
    const moving = new Service(({ SHARD_1 }) => ({
      SHARD_1: interceptCalls(SHARD_1, async (work, sql) => {
        if (!isMoved && sql.includes('INTO batches')) {
          isMoved = true;
          await moveByHand(LAGOS, 'SHARD_2');
        }
        return work();
      }) as D1Database,
    }));
    const { status, body } = await moving.post([sentCustomer(2), sentCustomer(3)]);
    expect([status, isMoved]).toEqual([201, true]);
    expect(moving.pendingPointers.map(({ shard, moveNumber }) => [shard, moveNumber])).toEqual([
      ['SHARD_2', 1],
    ]);
    await moving.deliverAll();
    const created = await inShard2<KnownCustomer>(
      `SELECT id, phrase FROM customers WHERE id <> '${ada.id}' ORDER BY id`,
    );
    expect(created.map(({ id }) => id)).toEqual(body.data.data.customerIds);
    for (const { phrase } of created) expect(shardOfPhrase(phrase)).toBe('SHARD_2');
  });

  it('does not store a batch twice whose answer was lost before the bank moved', async () => {
    const losing = new Service(({ SHARD_1 }) => ({
      SHARD_1: interceptCalls(faultyDatabase(SHARD_1, ['works', 'throws after']), async (work, sql) => {
        const isReadBack = sql.includes('SELECT state') && !sql.includes('json_each');
        if (isReadBack && (await countRows('batches', `bank_id = '${LAGOS}'`)) === 2) {
          await moveByHand(LAGOS, 'SHARD_2');
        }
        return work();
      }) as D1Database,
    }));
    const { status, body } = await losing.post([sentCustomer(2)]);
    expect(status).toBe(201);
    expect(await inShard2('SELECT id FROM batches ORDER BY id DESC LIMIT 1')).toEqual([
      { id: body.data.batchId },
    ]);
    expect(await inShard2('SELECT count(*) AS n FROM batches')).toEqual([{ n: 2 }]);
  });

  it('asks the directory once, and remembers what it says', async () => {
    const meter = new Meter();
    const metered = new Service((bindings) => meter.bindings(bindings));
    await lookUp(metered);
    await moveByHand(LAGOS, 'SHARD_2');
    const calls = async () => {
      meter.reset();
      await lookUp(metered);
      return meter.d1Calls;
    };
    expect([await calls(), await calls()]).toEqual([3, 1]);
  });

  it('finds the customer although the bank is switched over once more before it asks there', async () => {
    let isArmed = false;
    const asking = new Service(({ DIRECTORY }) => ({
      DIRECTORY: interceptCalls(DIRECTORY, async (work) => {
        const answer = await work();
        if (isArmed) {
          isArmed = false;
          await moveByHand(LAGOS, 'SHARD_1', 2);
        }
        return answer;
      }) as D1Database,
    }));
    await lookUp(asking);
    await moveByHand(LAGOS, 'SHARD_2');
    isArmed = true;
    const { status, body } = await lookUp(asking);
    expect([status, isArmed]).toEqual([200, false]);
    expect(body.data.id).toBe(ada.id);
  });

  it('is refused by the move number when the bank has come back, until it has asked the directory', async () => {
    await setTenant('SHARD_1', LAGOS, 'open', 2);
    expect((await update()).status).toBe(503);
    await setHome(LAGOS, 'SHARD_1', 2);
    expect((await update()).status).toBe(200);
  });

  it('without a binding of the new one answers 503', async () => {
    const old = new Service(() => ({ SHARD_2: undefined }));
    await lookUp(old);
    await moveByHand(LAGOS, 'SHARD_2');
    expect([(await lookUp(old)).status, (await update(old)).status]).toEqual([503, 503]);
  });
});

describe('a message', () => {
  it('for a chunk whose bank is not open there is acknowledged, changes nothing and is sent again where it is', async () => {
    await service.post([sentCustomer(2)]);
    const late = service.pendingPointers.splice(0);
    await setTenant('SHARD_1', LAGOS, 'leaving', 1);
    const before = await dumpTables('batch_chunks', 'batches', 'customers', 'tenants');
    for (const queue of ['customer-batches', 'customer-batches-dlq']) {
      const { explicitAcks, retryMessages } = await service.deliverMessages(late, queue);
      expect([explicitAcks.length, retryMessages]).toEqual([1, []]);
    }
    expect(await dumpTables('batch_chunks', 'batches', 'customers', 'tenants')).toBe(before);
    expect(service.log).toContainEqual(expect.objectContaining({ event: 'chunk_elsewhere', level: 'info' }));
    await moveByHand(LAGOS, 'SHARD_2');
    await env.SHARD_2.prepare('UPDATE batch_chunks SET next_send_at = 0 WHERE done_at IS NULL').run();
    await service.sweep();
    expect(service.pendingPointers).toMatchObject([{ shard: 'SHARD_2', moveNumber: 1 }]);
    await service.deliverAll();
    expect(await inShard2('SELECT count(*) AS n FROM customers')).toEqual([{ n: 2 }]);
  });

  it('of before a move changes nothing after the bank has come back', async () => {
    await service.post([sentCustomer(2)]);
    const late = service.pendingPointers.splice(0);
    await setTenant('SHARD_1', LAGOS, 'open', 2);
    await service.deliverMessages(late);
    expect(await countRows('customers', `bank_id = '${LAGOS}'`)).toBe(1);
  });

  it('for a shard that this Worker does not know is retried', async () => {
    const { retryMessages } = await service.deliverMessages([
      { bankId: LAGOS, batchId: 'bat_x', chunk: 0, shard: 'SHARD_9', moveNumber: 0 },
    ]);
    expect(retryMessages).toHaveLength(1);
  });
});

it('a refusal of the guard is no bad row and no failure of D1', async () => {
  await setTenant('SHARD_1', LAGOS, 'moved', 1);
  const databases = new Databases(service.env, systemRuntime.timer);
  const tenant = databases.tenantOf({ bankId: LAGOS, home: { shard: 'SHARD_1', moveNumber: 0 } });
  const refusal: unknown = await tenant.write([]).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(TenantNotOpenError);
  expect([isConstraintFailure(refusal), isDatabaseUnavailable(refusal)]).toEqual([false, false]);
});

describe('the cron', () => {
  it('leaves the rows of banks that are not open alone', async () => {
    await service.post([sentCustomer(2)]);
    service.pendingPointers.splice(0);
    await env.SHARD_1.batch([
      env.SHARD_1.prepare('UPDATE batch_chunks SET next_send_at = 0 WHERE next_send_at IS NOT NULL'),
      env.SHARD_1.prepare('UPDATE batches SET completed_at = 0 WHERE completed_at IS NOT NULL'),
      env.SHARD_1.prepare('UPDATE idempotency_keys SET created_at = 0'),
    ]);
    await setTenant('SHARD_1', LAGOS, 'leaving', 1);
    const before = await dumpTables('batches', 'batch_chunks', 'idempotency_keys', 'events');
    await service.sweep();
    expect(service.pendingPointers).toEqual([]);
    expect(await dumpTables('batches', 'batch_chunks', 'idempotency_keys', 'events')).toBe(before);
  });

  it('serves the banks of one shard while the other is down, and names the one that is', async () => {
    await service.post([sentCustomer(2)]);
    await env.SHARD_1.prepare('UPDATE batch_chunks SET next_send_at = 0 WHERE done_at IS NULL').run();
    const half = new Service(({ SHARD_2 }) => ({
      SHARD_2: brokenDatabase(SHARD_2 as D1Database, connectionLost()),
    }));
    await expect(half.sweep()).rejects.toThrow();
    expect(half.pendingPointers).toHaveLength(1);
    const failed = half.log.filter(({ event }) => event === 'sweep_failed');
    expect(new Set(failed.map(({ shard }) => shard))).toEqual(new Set(['SHARD_2']));
    expect((await lookUp(half)).status).toBe(200);
  });
});

describe('a bookmark', () => {
  it('names its shard, and one of another shard makes a read ask the primary', async () => {
    const opened: unknown[] = [];
    const watched = new Service(({ SHARD_1 }) => ({
      SHARD_1: {
        prepare: (sql: string) => SHARD_1.prepare(sql),
        withSession: (since?: string) => {
          opened.push(since);
          return SHARD_1.withSession(since);
        },
      } as unknown as D1Database,
    }));
    const own = (await lookUp(watched)).headers.get(BOOKMARK_HEADER) ?? '';
    expect(own).toMatch(/^SHARD_1:/);
    const since = async (bookmark: string) => {
      opened.splice(0);
      await watched.get(`/v1/bank/customer?id=${ada.id}`, API_KEYS.full, { [BOOKMARK_HEADER]: bookmark });
      return opened;
    };
    expect(await since(own)).toEqual([own.replace('SHARD_1:', '')]);
    expect(await since(own.replace('SHARD_1', 'SHARD_2'))).toEqual(['first-primary']);
    expect(await since('nonsense')).toEqual(['first-unconstrained']);
  });

  it('of a response that was redirected is of the shard that answered', async () => {
    await moveByHand(LAGOS, 'SHARD_2');
    expect((await lookUp()).headers.get(BOOKMARK_HEADER)).toMatch(/^SHARD_2:/);
  });
});

describe('the customers of a shard with a jurisdiction', () => {
  beforeEach(async () => {
    await env.DIRECTORY.prepare("UPDATE shards SET jurisdiction = 'eu' WHERE name = 'SHARD_1'").run();
    service = new Service();
  });

  it('are never cached: not by a lookup, a payee or an update', async () => {
    for (let time = 0; time < 2; time += 1) {
      const own = await service.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
      const payee = await service.get(`/v1/network/payee?phrase=${ada.phrase}`, API_KEYS.network);
      expect([own, payee].map(({ status, headers }) => [status, headers.get('X-Cache')])).toEqual([
        [200, 'MISS'],
        [200, 'MISS'],
      ]);
    }
    expect((await service.updateCustomer(ada.id, { accountName: 'New Name' })).status).toBe(200);
    expect(await phraseStore.keys()).toEqual([]);
  });

  it('are cached once their bank has moved to one without', async () => {
    await moveByHand(LAGOS, 'SHARD_2');
    await service.get(`/v1/network/payee?phrase=${ada.phrase}`, API_KEYS.network);
    expect(await phraseStore.keys()).toEqual([`payee:${ada.phrase}`]);
  });
});

describe('the payee question', () => {
  const ask = (phrase = ada.phrase, by = new Service()) =>
    by.get(`/v1/network/payee?phrase=${phrase}`, API_KEYS.network);

  it('goes to the shard of the first word, and follows a bank that has moved, one hop', async () => {
    expect((await ask()).body.data).toMatchObject({ bankId: LAGOS });
    await phraseStore.clear();
    await moveByHand(LAGOS, 'SHARD_2');
    expect((await ask()).body.data).toMatchObject({ bankId: LAGOS, phrase: ada.phrase });
    await service.post([sentCustomer(2)]);
    await service.deliverAll();
    const [own] = await inShard2<KnownCustomer>(`SELECT phrase FROM customers WHERE id <> '${ada.id}'`);
    expect((await ask(own?.phrase)).body.data).toMatchObject({ bankId: LAGOS, phrase: own?.phrase });
  });

  it('gets 404 for a customer who was erased after the move, and counts the miss of the asking bank', async () => {
    await moveByHand(LAGOS, 'SHARD_2');
    await service.eraseCustomer(ada.id);
    expect((await ask()).status).toBe(404);
    expect(await selectRows('SELECT misses FROM payee_misses')).toEqual([{ misses: 1 }]);
  });

  it('answers no row of a bank that is arriving, or has moved', async () => {
    for (const state of ['arriving', 'moved']) {
      await setTenant('SHARD_1', LAGOS, state, 1);
      expect([state, (await ask()).status]).toEqual([state, 503]);
    }
  });

  it('is limited by the misses of the asking bank, wherever the phrase is', async () => {
    const word = firstWordsOf('SHARD_2')[0] ?? '';
    await ask(`${word}-zoo-zoo-zoo`);
    await env.SHARD_1.prepare('UPDATE payee_misses SET misses = 50000').run();
    expect((await ask(`${word}-abandon-zoo-zoo`)).status).toBe(429);
  });
});

describe('first words', () => {
  it('are dealt to 17 shards, each word to one: 512 to the first and 96 to each other', () => {
    const dealt = Array.from({ length: MAX_SHARDS }, (_, index) => firstWordsOf(`SHARD_${index + 1}`));
    expect(dealt.map(({ length }) => length)).toEqual([512, ...Array.from({ length: 16 }, () => 96)]);
    expect(new Set(dealt.flat()).size).toBe(2_048);
    expect(() => firstWordsOf('SHARD_18')).toThrow(RangeError);
  });

  it('stay with their shard for ever', () => {
    const first = Array.from({ length: MAX_SHARDS }, (_, index) => firstWordsOf(`SHARD_${index + 1}`)[0]);
    expect(first).toMatchInlineSnapshot(`
    [
      "abandon",
      "basket",
      "apology",
      "across",
      "about",
      "better",
      "art",
      "again",
      "able",
      "blood",
      "august",
      "all",
      "ability",
      "bottom",
      "bag",
      "angle",
      "absent",
    ]
  `);
    expect(shardOfPhrase('river-stone-ocean-coral')).toBe('SHARD_1');
  });

  it('begin the phrases of the shard that gives them out', async () => {
    const created = await service.createCustomers(sentCustomers(30), API_KEYS.other);
    for (const { phrase } of created) expect(shardOfPhrase(phrase)).toBe('SHARD_1');
  });
});
