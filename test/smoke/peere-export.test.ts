/** `peere export`: every customer, once, whatever happens on the way. `npm run importer`. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { before, describe, it, type TestContext } from 'node:test';
import { CUSTOMER_FIELDS } from '../../packages/client/src/fields.ts';
import { startBetween, type Between } from './between.ts';
import {
  at,
  cells,
  createCustomers,
  ended,
  EXIT,
  get,
  goodRows,
  peere,
  serverUrl,
  startPeere,
  total,
} from './importer.ts';

const FORMULA = '=HYPERLINK("https://evil.example")';
/** More than two pages of the list. */
const ROWS = 2_500;
/** With the demo customer. */
const CUSTOMERS = ROWS + 1;
const STANDARD = { PEERE_API_KEY: 'peere_test_lagos_standard' };

const linesOf = (name: string) => readFileSync(at(name), 'utf8').trimEnd().split('\n');

/** A proxy that stands between the export and its third page. */
async function beforeThirdPage(test: TestContext, fate: Between) {
  let reached = () => undefined as void;
  const third = new Promise<void>((resolve) => (reached = resolve));
  const gate = { pages: 0, isOpen: false };
  const proxy = await startBetween(serverUrl(), (_, path) => {
    if (gate.isOpen || !path.startsWith('/v1/bank/customers?')) return 'forwards';
    gate.pages += 1;
    if (gate.pages < 3) return 'forwards';
    reached();
    return fate;
  });
  test.after(() => proxy.stop());
  return { third, open: () => (gate.isOpen = true), environment: { PEERE_URL: proxy.url } };
}

/** Begins an export, and ends it by a signal before its third page. */
async function interrupt(test: TestContext, name: string, signal: NodeJS.Signals) {
  const gate = await beforeThirdPage(test, 'stalls');
  const child = startPeere(['export', name], gate.environment);
  const end = ended(child);
  await gate.third;
  child.kill(signal);
  const result = await end;
  gate.open();
  return { ...result, environment: gate.environment };
}

void describe('peere export', { timeout: 240_000 }, () => {
  before(async () => {
    const [first, ...others] = goodRows(ROWS);
    await createCustomers([{ ...first, accountName: FORMULA }, ...others]);
  });

  void it('writes every customer with its phrase and every field that the API key shows', async () => {
    const { code, output } = await peere(['export', 'all.csv']);
    assert.equal(code, EXIT.all, output);
    const rows = cells('all.csv');
    assert.equal(rows.length, await total());
    assert.match(output, /^2,501 rows in all\.csv\./m);
    assert.deepEqual(Object.keys(rows[0] ?? {}), Object.keys(CUSTOMER_FIELDS));
    assert.equal(new Set(rows.map(({ id }) => id)).size, CUSTOMERS);
    const [shown] = (await get(`/v1/bank/customers?ids=${rows[7]?.['id']}`)).body as Record<string, string>[];
    const texts = Object.entries(shown ?? {}).map(([name, value]) => [name, value ?? '']);
    assert.deepEqual({ ...rows[7] }, Object.fromEntries(texts));
  });

  void it('leaves one file, which only its owner can read', async () => {
    await peere(['export', 'all.csv']);
    assert.equal(statSync(at('all.csv')).mode & 0o777, 0o600);
    for (const name of ['all.csv.part', 'all.csv.export.ndjson', 'all.csv.export.lock']) {
      assert.equal(existsSync(at(name)), false, name);
    }
  });

  void it('writes NDJSON with the Standard fields alone, also for an API key that shows no others', async () => {
    for (const [name, args, environment] of [
      ['full.ndjson', ['--fields', 'standard'], {}],
      ['standard.ndjson', [], STANDARD],
    ] as const) {
      const { code, output } = await peere(['export', name, ...args], environment);
      assert.equal(code, EXIT.all, output);
    }
    assert.deepEqual(linesOf('full.ndjson'), linesOf('standard.ndjson'));
    assert.equal(
      Object.keys(JSON.parse(linesOf('full.ndjson')[0] ?? '') as object).join(),
      'id,accountName,gender,displayPicture,bankId,phrase,country',
    );
  });

  void it('escapes what a spreadsheet would run in CSV, and nothing in NDJSON', async () => {
    await peere(['export', 'all.csv']);
    await peere(['export', 'all.ndjson']);
    assert.ok(cells('all.csv').some(({ accountName }) => accountName === `'${FORMULA}`));
    const names = linesOf('all.ndjson').map(
      (line) => (JSON.parse(line) as { accountName: string }).accountName,
    );
    assert.ok(names.includes(FORMULA));
  });

  void it('prints its result as JSON and nothing else to stdout with --json', async () => {
    const { stdout } = await peere(['export', 'all.csv', '--json', '--fields', 'standard']);
    const { rowsPerSecond, ...summary } = JSON.parse(stdout) as Record<string, unknown>;
    assert.ok(Number(rowsPerSecond) > 0);
    assert.deepEqual(summary, { file: 'all.csv', rows: CUSTOMERS, format: 'csv', fields: 'standard' });
  });

  void it('never overwrites a file without --force', async () => {
    await writeFile(at('mine.csv'), 'mine');
    const { code, output } = await peere(['export', 'mine.csv']);
    assert.equal(code, EXIT.fault);
    assert.equal(output, 'mine.csv exists already: name another file, or use --force to overwrite it.\n');
    assert.equal(readFileSync(at('mine.csv'), 'utf8'), 'mine');
    assert.equal((await peere(['export', 'mine.csv', '--force'])).code, EXIT.all);
    assert.equal(cells('mine.csv').length, CUSTOMERS);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    void it(`goes on after ${signal} by the same command, and the file is as if nothing had happened`, async (test) => {
      const { code, output, environment } = await interrupt(test, 'all.csv', signal);
      if (signal === 'SIGINT') {
        assert.equal(code, EXIT.interrupted, output);
        assert.match(
          output,
          /^Stopped\. What was exported is safe; run the same command again to continue\.$/m,
        );
      }
      assert.equal(existsSync(at('all.csv')), false);
      // As if it had been stopped while it wrote a page, or the journal's line about it.
      appendFileSync(at('all.csv.part'), 'half of a ro');
      appendFileSync(at('all.csv.export.ndjson'), '{"bytes":12');
      const on = await peere(['export', 'all.csv'], environment);
      assert.equal(on.code, EXIT.all, on.output);
      assert.match(on.output, /^Continuing after [12],000 rows\.$/m);
      await peere(['export', 'whole.csv']);
      assert.equal(readFileSync(at('all.csv'), 'utf8'), readFileSync(at('whole.csv'), 'utf8'));
    });
  }

  void it('says in one sentence that the service failed, and goes on by the same command', async (test) => {
    const gate = await beforeThirdPage(test, 'fails');
    const { code, output } = await peere(['export', 'all.ndjson'], gate.environment);
    assert.equal(code, EXIT.fault, output);
    assert.match(
      output,
      /status 500.*\nWhat was exported is safe; run the same command again to continue\.\n$/,
    );
    gate.open();
    const on = await peere(['export', 'all.ndjson'], gate.environment);
    assert.equal(on.code, EXIT.all, on.output);
    assert.equal(linesOf('all.ndjson').length, CUSTOMERS);
  });

  void it('does not continue with other fields, and begins again with --force', async (test) => {
    const { environment } = await interrupt(test, 'all.csv', 'SIGINT');
    const other = await peere(['export', 'all.csv', '--fields', 'standard'], environment);
    assert.equal(other.code, EXIT.fault);
    assert.match(
      other.output,
      /all\.csv\.part is the beginning of an export of bnk_demo_lagos .* or use --force/,
    );
    const args = ['export', 'all.csv', '--fields', 'standard', '--force'];
    assert.equal((await peere(args, environment)).code, EXIT.all);
    assert.equal(cells('all.csv').length, CUSTOMERS);
  });

  void it('leaves files alone that are not its own', async () => {
    await writeFile(at('a.csv.part'), 'mine');
    await writeFile(at('b.csv.export.ndjson'), 'mine');
    for (const [name, file] of [
      ['a.csv', 'a.csv.part'],
      ['b.csv', 'b.csv.export.ndjson'],
    ] as const) {
      const { code, output } = await peere(['export', name]);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, /move it away/i);
      assert.equal(readFileSync(at(file), 'utf8'), 'mine');
    }
  });

  void it('names the scope that an API key lacks, and the format that it can’t tell', async () => {
    for (const [args, environment, words] of [
      [['x.csv', '--fields', 'extended'], STANDARD, /does not have the scope customers:read:extended/],
      [['x.csv'], { PEERE_API_KEY: 'peere_test_network' }, /needs a key with the scope customers:read or/],
      [['customers'], {}, /format of customers can’t be told from its name: use --format csv or ndjson/],
      [['no/such/folder/x.csv'], {}, /There is no folder/],
    ] as const) {
      const { code, output } = await peere(['export', ...args], environment);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, words);
      assert.doesNotMatch(output, /\n\s+at /, 'no stack');
    }
  });
});
