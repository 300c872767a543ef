/**
 * Planted bugs, which the simulation must find. A Vite plugin writes one into the source as the simulation loads it.
 * The deployed Worker never has them.
 */
import type { Plugin } from 'vite';

interface Edit {
  /** The end of the file's path. */
  file: string;
  find: string;
  replace: string;
}

const keys = 'batches/accept/idempotency.store.ts';
const chunks = 'batches/process/chunks.store.ts';
const failures = 'batches/failures.store.ts';
const consumer = 'batches/process/consumer.ts';
const delivery = 'webhooks/delivery.ts';
const deliveryStore = 'webhooks/delivery.store.ts';
const commit = 'batches/accept/commit.ts';
const tenantStore = 'databases/tenant.store.ts';
const ranges = 'databases/moves/ranges.store.ts';
const switchOver = 'databases/moves/switch.ts';
const close =
  '  const closed = await executeBatch(source, closeSource(move), WRITE_DEADLINE_MS);\n' +
  "  expectTenant(closed.tenant[0], move, 'moved');\n";
const noComparison: Edit = {
  file: 'databases/moves/verify.ts',
  find: 'if (!isSame(originals, copies))',
  replace: 'if (!isSame(originals, originals))',
};
const noSweep: Edit = {
  file: 'cron.ts',
  find: '  resendDueChunks,\n',
  replace: '',
};

export const MUTANTS: Record<string, Edit[]> = {
  'no-sweep': [noSweep],
  'acknowledged-before-the-work-and-no-sweep': [
    noSweep,
    {
      file: consumer,
      find: '      await handle({ deps, tenant, pointer: pointer.data }, retrySeconds);\n      message.ack();',
      replace:
        '      message.ack();\n      await handle({ deps, tenant, pointer: pointer.data }, retrySeconds);',
    },
  ],
  'closed-outside-the-transaction': [
    {
      file: consumer,
      find: 'tenant.write({ statements, due })',
      replace:
        'tenant.write([statements.slice(0, 3)]).then(() => tenant.write({ statements: statements.slice(3), due }))',
    },
  ],
  'closed-chunks-not-guarded': [
    { file: chunks, find: "sql.raw('done_at IS NULL')", replace: "sql.raw('true')" },
  ],
  'counters-added': [
    {
      file: 'batches/batch-status.store.ts',
      find: 'SET created = chunks.created,',
      replace: 'SET created = batches.created + chunks.created,',
    },
  ],
  'no-read-back': [
    { file: commit, find: '      if (stored) {', replace: '      if (stored && plan.total < 0) {' },
  ],
  'key-not-unique': [
    { file: keys, find: 'INSERT INTO idempotency_keys', replace: 'INSERT OR REPLACE INTO idempotency_keys' },
  ],
  'key-not-in-the-transaction': [
    {
      file: commit,
      find: '      const rows = await tenant.write({ statements, due });\n',
      replace:
        '      const own = idempotency === undefined ? statements.length : statements.length - 2;\n' +
        '      await tenant.write(statements.slice(0, own));\n' +
        '      const rows = await tenant.write({ statements: statements.slice(own), due });\n',
    },
  ],
  'body-of-a-key-not-compared': [
    {
      file: 'batches/accept/idempotency.ts',
      find: 'if (!(await idempotency.matches(record.fingerprint))) {',
      replace: 'if (record.fingerprint === null) {',
    },
  ],
  'no-bank-in-the-lookup': [
    {
      file: 'customers/customers.store.ts',
      find: "            eq(customers.bankId, sql.placeholder('bankId')),\n",
      replace: '',
    },
  ],
  'cache-owner-not-compared': [
    {
      file: 'customers/phrase-cache.ts',
      find: '&& this.#kind.keyOf(value) === key',
      replace: "&& (key.startsWith('phrase:') || this.#kind.keyOf(value) === key)",
    },
  ],
  'payee-phrase-not-compared': [
    {
      file: 'customers/phrase-cache.ts',
      find: '&& this.#kind.keyOf(value) === key',
      replace: "&& (key.startsWith('payee:') || this.#kind.keyOf(value) === key)",
    },
  ],
  'payee-left-by-an-erasure': [
    { file: 'erasure/erasure.service.ts', find: ', payeeCache.forget(ofNetwork)]', replace: ']' },
    {
      file: 'erasure/erasure.service.ts',
      find: 'runAfterResponse(payeeCache.forgetAgain(ofNetwork));',
      replace: '',
    },
  ],
  'a-cached-value-never-expires': [
    {
      file: 'customers/phrase-cache.ts',
      find: ' && age < CACHE_SECONDS * 1_000',
      replace: '',
    },
  ],
  'a-replica-is-believed-like-the-primary': [
    {
      file: 'customers/phrase-cache.ts',
      find: 'const { row, fromPrimary } = await nearest();',
      replace: 'const [{ row }, fromPrimary] = [await nearest(), true];',
    },
  ],
  'a-customer-is-overwritten': [
    {
      file: chunks,
      find: 'ON CONFLICT (bank_id, email) DO NOTHING`,',
      replace:
        "ON CONFLICT (bank_id, email) DO NOTHING`, sql`UPDATE customers SET account_name = ${staged('accountName')} " +
        "FROM ${stagedRows(pointer)} WHERE customers.bank_id = ${bankId} AND email = ${staged('email')}`,",
    },
  ],
  'losers-of-a-race-forgotten': [
    {
      file: chunks,
      find: 'sql`NOT EXISTS (SELECT 1 FROM customers',
      replace: 'sql`false AND NOT EXISTS (SELECT 1 FROM customers',
    },
  ],
  'a-dead-letter-discards-its-chunk': [
    {
      file: chunks,
      find: 'UPDATE batch_chunks SET next_send_at = NULL\n',
      replace: 'DELETE FROM batch_chunks\n',
    },
  ],
  'a-bad-row-takes-its-chunk-along': [
    { file: consumer, find: 'if (open.rowCount === 1) {', replace: 'if (open.rowCount >= 1) {' },
  ],
  'a-phrase-collision-is-a-failure': [
    { file: consumer, find: 'isPhraseCollision(error);', replace: 'isPhraseCollision(null);' },
  ],
  'a-staged-copy-is-left-by-an-erasure': [
    {
      file: 'erasure/erasure.store.ts',
      find: '    stagedCopies: eraseStagedCopies(bankId, id, email, written),\n',
      replace: '',
    },
  ],
  'an-erasure-knows-one-copy-only': [
    {
      file: chunks,
      find: "(${staged('id')} = ${id} OR ${staged('email')} = ${email})",
      replace: "(${staged('id')} = ${id} OR ${email} IS NULL)",
    },
  ],
  'an-erased-customer-is-counted': [
    {
      file: chunks,
      find: 'SELECT ${created} - ${erased} AS created',
      replace: 'SELECT ${created} AS created',
    },
  ],
  'a-batch-is-not-written-down': [{ file: commit, find: '    insertChange(actor, change),\n', replace: '' }],
  'refused-rows-counted-outside-the-transaction': [
    {
      file: commit,
      find: '      const rows = await tenant.write({ statements, due });\n',
      replace:
        '      const own = plan.failures.length > 0 ? 1 : 0;\n' +
        '      if (own > 0) await tenant.write(statements.slice(0, own));\n' +
        '      const rows = await tenant.write({ statements: statements.slice(own), due });\n',
    },
  ],
  'the-limit-of-a-day-is-not-held': [
    { file: failures, find: 'iif(${count} <= ${perDay}, ${count}, NULL)', replace: '${count}' },
  ],
  'failures-found-late-are-not-counted': [
    { file: chunks, find: 'failure_count = failure_count + chunk.failed,', replace: '' },
  ],
  'failures-that-made-room-are-not-noted': [
    { file: failures, find: 'failures_removed + removed.count', replace: 'failures_removed' },
  ],
  'an-update-is-not-written-down': [
    {
      file: 'customers/customers.store.ts',
      find: 'sql`EXISTS (SELECT 1 FROM customers WHERE ${meant})`',
      replace: 'sql`false`',
    },
    { file: 'customers/customers.store.ts', find: ' AND ${isLatest(actor, id)}', replace: '' },
  ],
  'an-event-outside-its-transaction': [
    {
      file: 'customers/customers.service.ts',
      find: 'await tenant.writeRepeatable(statements);',
      replace:
        'await tenant.writeRepeatable(statements.event).then(() => tenant.writeRepeatable({ ...statements, event: [] }));',
    },
    {
      file: 'erasure/erasure.service.ts',
      find: 'await tenant.writeRepeatable(statements);',
      replace:
        'await tenant.writeRepeatable(statements.event).then(() => tenant.writeRepeatable({ ...statements, event: [] }));',
    },
  ],
  'a-batch-completed-without-its-event': [
    {
      file: 'batches/batch-status.store.ts',
      find: 'AND status <> ${STATUS}`',
      replace: "AND status = 'STALLED'`",
    },
  ],
  'a-position-moved-before-the-delivery': [
    {
      file: delivery,
      find: 'const attempt = event && (await send(delivery, event));',
      replace:
        'if (event) { const held = { ...pointer, lease, position }; position = event.sequence; ' +
        'await tenant.write([moveEndpoint(held, { position, leaseUntil: startedAt + LEASE_MS, sent: null })]); } ' +
        'const attempt = event && (await send(delivery, event));',
    },
  ],
  'no-lease': [
    {
      file: 'events/due-endpoints.store.ts',
      find: ' AND lease_until <= ${now}',
      replace: '',
    },
  ],
  'an-event-skipped-after-a-failure': [
    {
      file: deliveryStore,
      find: 'SET ${failed(failure)}, next_attempt_at',
      replace: 'SET ${failed(failure)}, position = position + 1, next_attempt_at',
    },
  ],
  'delivered-to-the-wrong-bank': [
    {
      file: deliveryStore,
      find: 'WHERE bank_id = ${bankId} AND sequence > (',
      replace: 'WHERE sequence > (',
    },
  ],
  'webhooks-wait-for-the-queue': [{ file: 'cron.ts', find: '  wakeDueEndpoints,\n', replace: '' }],
  'no-guard': [
    {
      file: tenantStore,
      find: 'SELECT 1 WHERE NOT EXISTS (',
      replace: 'SELECT 1 WHERE false AND NOT EXISTS (',
    },
  ],
  'a-write-that-does-not-check-the-number-of-the-move': [
    {
      file: tenantStore,
      find: "state = 'open' AND move_number = ?)`,",
      replace: "state = 'open' AND ? >= 0)`,",
    },
  ],
  'reads-that-do-not-check': [
    {
      file: 'databases/tenant.ts',
      find: 'if (isReadable(found.state)) return found.result;',
      replace: 'return found.result;',
    },
  ],
  'a-refusal-of-the-guard-is-a-bad-row': [
    { file: 'databases/tenant.ts', find: 'if (isRefusedByGuard(error))', replace: 'if (false)' },
  ],
  'a-step-that-is-not-conditional-on-its-move': [
    {
      file: 'databases/moves/tenants.store.ts',
      find: 'AND state = ${state} AND move_number = ${number})`;',
      replace: 'AND ${state} = ${state} AND ${number} = ${number})`;',
    },
  ],
  'switched-before-everything-was-copied': [
    {
      file: 'databases/moves/copy.ts',
      find: 'for (const table of copiedTables()) {',
      replace: 'for (const table of copiedTables().slice(0, 2)) {',
    },
    noComparison,
  ],
  'the-target-open-before-the-source-is-closed': [
    { file: switchOver, find: close, replace: '' },
    {
      file: switchOver,
      find: "  expectTenant(opened.tenant[0], move, 'open');\n",
      replace: `  expectTenant(opened.tenant[0], move, 'open');\n${close}`,
    },
  ],
  'phrases-not-retired-on-the-source': [
    { file: ranges, find: 'phrases: table.hasPhrases', replace: 'phrases: table.hasPhrases && maxRows < 0' },
  ],
  'an-erased-customer-brought-back-by-a-move-back': [
    {
      file: 'databases/moves/clean.ts',
      find: 'for (const table of removedTables()) {',
      replace: 'for (const table of removedTables().slice(1)) {',
    },
    noComparison,
  ],
  'open-chunks-with-the-old-shards-words': [
    {
      file: 'databases/moves/driver.ts',
      find: 'drawPhrase(target, runtime.random)',
      replace: 'drawPhrase(source, runtime.random)',
    },
  ],
};

/** What a bug must be caught as, if it breaks other invariants as well. */
export const CAUGHT_AS: Record<string, string> = {
  'reads-that-do-not-check': 'a lookup is older than an acknowledged update',
  'a-write-that-does-not-check-the-number-of-the-move':
    'a change that had failed before a move was made after it',
  'an-erased-customer-brought-back-by-a-move-back': 'a lookup answers an erased customer',
};

export function plantedBug(name: string): Plugin {
  const edits = MUTANTS[name];
  if (edits === undefined) {
    throw new Error(`There is no planted bug ${name}. There are: ${Object.keys(MUTANTS).join(', ')}.`);
  }
  return {
    // Vitest caches transformed files by the names of plugins, so each bug needs its own.
    name: `planted-bug-${name}`,
    enforce: 'pre',
    transform(code, id) {
      let planted = code;
      for (const { file, find, replace } of edits.filter((edit) => id.endsWith(edit.file))) {
        if (planted.split(find).length !== 2)
          throw new Error(`The planted bug ${name} does not fit ${file}.`);
        planted = planted.replace(find, () => replace);
      }
      return planted === code ? null : planted;
    },
  };
}
