/** `peere reconcile`: what differs between a file and the directory, and how both come to agree. `npm run importer`. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { startBetween, type Between } from './between.ts';
import {
  at,
  cells,
  createCustomers,
  csv,
  ended,
  EXIT,
  get,
  goodRows,
  HEADER,
  peere,
  send,
  serverUrl,
  startPeere,
} from './importer.ts';

type Fields = Record<string, string>;

const COLUMNS = [...HEADER, 'phone', 'address', 'gender'];
/** The demo customer as a row of the bank's file. */
const DEMO = {
  clientRef: 'demo',
  firstname: 'Adaobi',
  lastname: 'Okafor',
  accountName: 'Adaobi Okafor',
  email: 'adaobi.okafor@example.com',
  country: 'NG',
  phone: '+2348031234567',
  address: '12 Marina Road, Lagos',
  gender: 'female',
  accountNumber: '0123456789',
  reference: 'demo-1',
};
const REPORTS = ['missing', 'extra', 'changed'].map((name) => `customers.${name}.csv`);

/** The bank's own file: at first, the directory has the same. */
let rows: Fields[];

const emailOf = (index: number) => rows[index]?.['email'] ?? '';
const change = (index: number, fields: Fields) => (rows[index] = { ...rows[index], ...fields });
const writeRows = (columns = COLUMNS) => writeFile(at('customers.csv'), csv([DEMO, ...rows], columns));
const customerOf = async (email: string) =>
  (await get(`/v1/bank/customer?email=${encodeURIComponent(email)}`)).body.data as Fields;
const reconcile = (...args: string[]) => peere(['reconcile', 'customers.csv', ...args]);

beforeEach(async () => {
  rows = goodRows(4).map((row, n) => ({
    ...row,
    phone: '0803 123 4567',
    address: `${n} Marina\nLagos`,
    gender: 'female',
  }));
  await createCustomers(rows);
});

/** Leaves the demo customer alone in the directory. */
afterEach(async () => {
  const { body } = await get('/v1/bank/customers');
  for (const { id, email } of body as Fields[]) {
    if (email !== DEMO.email) await send('DELETE', `/v1/bank/customer?id=${id}`);
  }
});

/** Takes a row out of the file, adds one, and changes others. @returns the emails */
async function makeDifferences() {
  const [extra] = rows.splice(0, 1);
  const [added] = goodRows(1);
  change(0, { address: '7 New Road', accountName: 'New Name' });
  change(1, { gender: 'other' });
  rows.push({ ...added, phone: '', address: '', gender: '' });
  await writeRows();
  return { extra: extra?.['email'] ?? '', added: added?.email ?? '', changed: emailOf(0) };
}

/** Stands between the program and the service. @param decide is asked for each PATCH */
async function beforeUpdates(test: TestContext, decide: (path: string) => Between | Promise<Between>) {
  const proxy = await startBetween(serverUrl(), (method, path) =>
    method === 'PATCH' ? decide(path) : 'forwards',
  );
  test.after(() => proxy.stop());
  return { PEERE_URL: proxy.url };
}

void describe('a comparison', { timeout: 240_000 }, () => {
  void it('finds values equal that only look different, and writes no file', async () => {
    change(0, { email: ` ${emailOf(0).toUpperCase()} `, country: 'ng', gender: 'Female' });
    change(1, { phone: '+234 803 123 4567', accountName: `  ${rows[1]?.['accountName']} ` });
    await writeRows();
    const { code, output } = await reconcile();
    assert.equal(code, EXIT.all, output);
    assert.match(output, /^The file and the directory agree\.$/m);
    for (const name of REPORTS) assert.equal(existsSync(at(name)), false, name);
  });

  void it('finds an export equal, also names that a spreadsheet would run', async () => {
    const [row] = goodRows(1);
    await createCustomers([{ ...row, accountName: '=1+1' }]);
    for (const name of ['customers.csv', 'customers.ndjson']) {
      assert.equal((await peere(['export', name])).code, EXIT.all);
      const { code, output } = await peere(['reconcile', name]);
      assert.equal(code, EXIT.all, output);
    }
  });

  void it('writes what is missing, extra and changed to files that only their owner can read', async () => {
    const { extra, added, changed } = await makeDifferences();
    const { code, output } = await reconcile();
    assert.equal(code, EXIT.some, output);
    assert.match(
      output,
      /^5 rows and 5 customers: 2 agree, 1 missing in the directory, 2 differ, 1 customer not in the file\.$/m,
    );
    for (const name of REPORTS) assert.equal(statSync(at(name)).mode & 0o777, 0o600);
    assert.deepEqual(
      cells('customers.missing.csv').map(({ row, email, failure_code }) => [row, email, failure_code]),
      [['5', added, 'MISSING']],
    );
    assert.deepEqual(
      cells('customers.extra.csv').map(({ email, phone }) => [email, phone]),
      [[extra, '+2348031234567']],
    );
    const differences = cells('customers.changed.csv');
    assert.deepEqual(
      differences.map(({ row, fields }) => [row, fields]),
      [
        ['2', 'accountName address'],
        ['3', 'gender'],
      ],
    );
    assert.equal(differences[0]?.['email'], changed);
    assert.equal(differences[0]?.['address in file'], '7 New Road');
    assert.equal(differences[0]?.['address in directory'], '1 Marina Lagos');
  });

  void it('compares the fields alone that the file has, and needs the email alone', async () => {
    change(0, { accountName: 'New Name', phone: '0809 999 9999' });
    await writeRows(['email', 'phone']);
    const { code, output } = await reconcile();
    assert.equal(code, EXIT.some, output);
    assert.deepEqual(
      cells('customers.changed.csv').map(({ fields }) => fields),
      ['phone'],
    );
  });

  void it('names rows that can’t be compared: repeated, without an email, or unreadable', async () => {
    const [repeated = {}] = rows;
    rows.push(repeated, { ...repeated, email: '' });
    await writeFile(at('customers.csv'), `${csv([DEMO, ...rows], COLUMNS)}one,two\n`);
    const { code, output } = await reconcile();
    assert.equal(code, EXIT.some, output);
    assert.match(output, /5 agree, 0 missing in the directory, 0 differ, 3 can’t be compared/);
    assert.deepEqual(
      cells('customers.missing.csv').map(({ row, failure_reason }) => `${row}: ${failure_reason}`),
      [
        '6: email is the same as in row 2',
        '7: has no email, by which a customer is found',
        `8: has 2 cells where the header has ${COLUMNS.length}; does a cell contain the separator without being quoted?`,
      ],
    );
  });

  void it('prints its result as JSON and nothing else to stdout with --json', async () => {
    await makeDifferences();
    const { stdout } = await reconcile('--json');
    const summary = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(
      ['rows', 'customers', 'equal', 'missing', 'extra', 'changed', 'refused', 'agrees'].map(
        (name) => summary[name],
      ),
      [5, 5, 2, 1, 1, 2, 0, false],
    );
    assert.deepEqual(Object.values(summary['files'] as object), REPORTS);
  });

  void it('never overwrites its files without --force, and removes those that are not true any more with it', async () => {
    await makeDifferences();
    assert.equal((await reconcile()).code, EXIT.some);
    const before = readFileSync(at('customers.missing.csv'), 'utf8');
    const again = await reconcile();
    assert.equal(again.code, EXIT.fault);
    assert.match(
      again.output,
      /customers\.missing\.csv exists already: move it away, or use --force to overwrite it\.\n$/,
    );
    assert.equal(readFileSync(at('customers.missing.csv'), 'utf8'), before);
    rows.pop();
    await writeRows();
    assert.equal((await reconcile('--force')).code, EXIT.some);
    assert.equal(existsSync(at('customers.missing.csv')), false);
    assert.equal(existsSync(at('customers.extra.csv')), true);
  });

  void it('is refused in one sentence for a wrong file, a missing column, and an API key without the scope', async () => {
    await writeRows(['accountName']);
    for (const [args, environment, words] of [
      [['none.csv'], {}, /^There is no file none\.csv\.$/m],
      [['-'], {}, /^Standard input can’t be compared/m],
      [['customers.csv'], {}, /^No column matches email\. The columns are: "accountName"\./m],
      [['customers.csv'], { PEERE_API_KEY: 'peere_test_lagos_standard' }, /scope customers:read:extended/],
      [
        ['customers.csv'],
        { PEERE_API_KEY: 'peere_test_nobody' },
        /does not accept the API key in PEERE_API_KEY/,
      ],
    ] as const) {
      const { code, output } = await peere(['reconcile', ...args], environment);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, words);
      assert.doesNotMatch(output, /\n\s+at /, 'no stack');
    }
  });
});

void describe('--apply', { timeout: 240_000 }, () => {
  void it('creates what is missing and updates what differs, and the rest is named by the next comparison', async () => {
    const { extra, added, changed } = await makeDifferences();
    const { code, output } = await reconcile('--apply');
    assert.equal(code, EXIT.some, output);
    assert.match(output, /^Applied: 1 created, 1 updated, 0 failed, 1 with a difference that is kept\.$/m);
    assert.equal((await customerOf(added)).accountName, 'Adaobi Okafor 0');
    const { accountName, address, phone } = await customerOf(changed);
    assert.deepEqual([accountName, address, phone], ['New Name', '7 New Road', '+2348031234567']);
    assert.notEqual(await customerOf(extra), null, 'it erases nobody');
    assert.equal(cells('customers.missing.phrases.csv').length, 1);
    const next = await reconcile('--force');
    assert.match(next.output, /4 agree, 0 missing in the directory, 1 differ, 1 customer not in the file/);
  });

  void it('ends with 0 when both agree afterwards', async () => {
    change(0, { phone: '0809 999 9999' });
    await writeRows();
    const { code, output } = await reconcile('--apply');
    assert.equal(code, EXIT.all, output);
    assert.match(output, /^The file and the directory agree\.$/m);
    assert.equal((await customerOf(emailOf(0))).phone, '+2348099999999');
  });

  void it('clears no field for an empty cell, and says that the difference is kept', async () => {
    change(0, { address: '' });
    await writeRows();
    const { code, output } = await reconcile('--apply');
    assert.equal(code, EXIT.some, output);
    assert.match(output, /0 updated, 0 failed, 1 with a difference that is kept/);
    assert.equal((await customerOf(emailOf(0))).address, '0 Marina Lagos');
  });

  void it('does not overwrite what somebody else changes between reading and updating', async (test) => {
    const { changed } = await makeDifferences();
    const { id } = await customerOf(changed);
    let updates = 0;
    const environment = await beforeUpdates(test, async (): Promise<Between> => {
      updates += 1;
      if (updates === 1) await send('PATCH', '/v1/bank/customer', { id, update: { state: 'Kano' } });
      return 'forwards';
    });
    await peere(['reconcile', 'customers.csv', '--apply'], environment);
    assert.equal(updates, 2, 'the first was refused, because the customer had changed');
    const { state, address } = await customerOf(changed);
    assert.deepEqual([state, address], ['Kano', '7 New Road']);
  });

  void it('does not overwrite a field that somebody else has changed since the comparison', async (test) => {
    const { changed } = await makeDifferences();
    const { id } = await customerOf(changed);
    const environment = await beforeUpdates(test, async (): Promise<Between> => {
      await send('PATCH', '/v1/bank/customer', { id, update: { address: '8 Their Road' } });
      return 'forwards';
    });
    const { output } = await peere(['reconcile', 'customers.csv', '--apply'], environment);
    assert.match(output, /was not updated: it has been changed since the comparison; compare again\./);
    assert.equal((await customerOf(changed)).address, '8 Their Road');
  });

  void it('finds out what became of an update whose response was lost', async (test) => {
    const { changed } = await makeDifferences();
    let updates = 0;
    const environment = await beforeUpdates(test, () => {
      updates += 1;
      return updates === 1 ? 'loses' : 'forwards';
    });
    const { output } = await peere(['reconcile', 'customers.csv', '--apply'], environment);
    assert.match(output, /1 updated, 0 failed/);
    assert.equal((await customerOf(changed)).address, '7 New Road');
  });

  void it('goes on after Ctrl-C by the same command, creates nobody twice and overwrites no file', async (test) => {
    const { added, changed } = await makeDifferences();
    let [isOpen, reached] = [false, () => undefined as void];
    const firstUpdate = new Promise<void>((resolve) => (reached = resolve));
    const environment = await beforeUpdates(test, () => {
      reached();
      return isOpen ? 'forwards' : 'stalls';
    });
    const child = startPeere(['reconcile', 'customers.csv', '--apply'], environment);
    const end = ended(child);
    await firstUpdate;
    child.kill('SIGINT');
    const stopped = await end;
    assert.equal(stopped.code, EXIT.interrupted, stopped.output);
    assert.match(stopped.output, /^Stopped\. Nothing is lost; run the same command again to go on\.$/m);
    const created = (await customerOf(added)).id;
    isOpen = true;
    const on = await peere(['reconcile', 'customers.csv', '--apply'], environment);
    assert.equal(on.code, EXIT.some, on.output);
    assert.match(on.output, /Applied: 1 created, 1 updated, 0 failed/);
    assert.equal((await customerOf(changed)).address, '7 New Road');
    assert.equal((await customerOf(added)).id, created);
  });

  void it('names what the service refuses, and goes on with the others', async () => {
    change(0, { phone: '0803' });
    change(1, { address: '7 New Road' });
    await writeRows();
    const { code, output } = await reconcile('--apply');
    assert.equal(code, EXIT.some, output);
    assert.match(
      output,
      /^Row 2 was not updated: Invalid customer data; update\.phone must be a valid number/m,
    );
    assert.match(output, /1 updated, 1 failed/);
  });

  void it('needs every column of a new customer before anything is compared', async () => {
    await writeRows(['email', 'phone']);
    const { code, output } = await reconcile('--apply');
    assert.equal(code, EXIT.fault, output);
    assert.match(output, /^No column matches clientRef, firstname/m);
  });
});
