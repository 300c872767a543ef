/** The short commands of `peere`, and what all commands have in common. `npm run importer`. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { DEMO_CUSTOMER, EXAMPLE_BATCH_ID } from '../../src/openapi/examples.ts';
import { at, csv, EXIT, get, goodRows, peere, run } from './importer.ts';

const NETWORK = { PEERE_API_KEY: 'peere_test_network' };
const COMMANDS = ['import', 'export', 'reconcile', 'lookup', 'payee', 'batches', 'listen', 'whoami'];
const { id, email, phrase, accountName } = DEMO_CUSTOMER;

void describe('peere', { timeout: 120_000 }, () => {
  void it('lists every command, and each has examples and exit codes in its help', async () => {
    const { code, stdout } = await peere(['--help']);
    assert.equal(code, EXIT.all);
    const listed = [...stdout.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name);
    assert.deepEqual(listed, [...COMMANDS, 'help']);
    for (const command of COMMANDS) {
      const help = await peere([command, '--help']);
      assert.equal(help.code, EXIT.all);
      assert.match(help.stdout, /^Examples:\n {2}peere /m, command);
      assert.match(help.stdout, /^Exit codes: 0/m, command);
      assert.match(help.stdout, /PEERE_API_KEY/, command);
    }
  });

  void it('names a command or an option that does not exist, and the one that was meant', async () => {
    for (const [args, words] of [
      [['exprot'], /unknown command 'exprot' \(Did you mean export\?\)/],
      [['whoami', '--jsno'], /unknown option '--jsno' \(Did you mean --json\?\)/],
      [['lookup'], /missing required argument 'name'/],
      [['batches', '--limit', '0'], /must be a whole number from 1 to/],
    ] as const) {
      const { code, output } = await peere([...args]);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, words);
      assert.equal(output.trimEnd().split('\n').length, 1, output);
    }
  });

  void it('needs a URL and an API key that belong together, and says in one sentence what is wrong', async () => {
    for (const [environment, words] of [
      [{ PEERE_URL: undefined }, /URL of the service is missing: use --url https:\/\/… or set PEERE_URL/],
      [{ PEERE_API_KEY: undefined }, /API key is missing: set PEERE_API_KEY or use --key/],
      [{ PEERE_API_KEY: 'peere_test_nobody' }, /does not accept the API key in PEERE_API_KEY/],
      [{ PEERE_URL: 'http://localhost:1' }, /Nothing accepts connections at http:\/\/localhost:1/],
      [{ PEERE_URL: 'localhost' }, /url must be the URL of the service/],
    ] as const) {
      const { code, output } = await peere(['whoami'], environment as Record<string, string>);
      assert.equal(code, EXIT.fault, output);
      assert.match(output, words);
      assert.doesNotMatch(output, /\n\s+at /, 'no stack');
    }
  });

  void it('import is the same as peere-import', async () => {
    await writeFile(at('one.csv'), csv(goodRows(1)));
    await writeFile(at('two.csv'), csv(goodRows(1)));
    const [one, two] = [await peere(['import', 'one.csv']), await run(['two.csv'])];
    assert.deepEqual([one.code, two.code], [EXIT.all, EXIT.all]);
    assert.match(one.stdout, /^1 row: 1 became a customer, 0 failed/);
    assert.match(two.stdout, /^1 row: 1 became a customer, 0 failed/);
  });

  void it('import prints its result as JSON and nothing else to stdout with --json', async () => {
    await writeFile(at('some.csv'), csv([...goodRows(1), { ...goodRows(1)[0], email: 'none' }]));
    const { code, stdout } = await peere(['import', 'some.csv', '--json']);
    assert.equal(code, EXIT.some);
    const { created, failed, phrases } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([created, failed, phrases], [1, 1, 'some.phrases.csv']);
  });
});

void describe('peere lookup', { timeout: 60_000 }, () => {
  void it('finds a customer by phrase, email or id', async () => {
    for (const name of [phrase, email, id]) {
      const { code, stdout } = await peere(['lookup', name, '--json']);
      assert.equal(code, EXIT.all);
      assert.equal((JSON.parse(stdout) as { id: string }).id, id);
    }
    assert.match((await peere(['lookup', phrase])).stdout, new RegExp(`^accountName +${accountName}$`, 'm'));
  });

  void it('ends with 1 and says what is unknown if there is no such customer', async () => {
    const { code, stdout, output } = await peere(['lookup', 'nobody@example.com', '--json']);
    assert.deepEqual([code, stdout], [EXIT.some, '']);
    assert.equal(output, 'Your bank has no customer with the email nobody@example.com.\n');
  });
});

void describe('peere payee', { timeout: 60_000 }, () => {
  void it('shows who is behind a phrase at another bank, and ends with 1 for nobody', async () => {
    const { code, stdout } = await peere(['payee', phrase], NETWORK);
    assert.equal(code, EXIT.all);
    assert.match(stdout, /^bankId +bnk_demo_lagos$/m);
    const json = JSON.parse((await peere(['payee', phrase, '--json'], NETWORK)).stdout) as object;
    assert.deepEqual(Object.keys(json), ['phrase', 'accountName', 'displayPicture', 'bankId', 'country']);
    const nobody = await peere(['payee', 'zoo-zoo-zoo-zoo'], NETWORK);
    assert.deepEqual([nobody.code, nobody.output], [EXIT.some, 'Nobody has the phrase zoo-zoo-zoo-zoo.\n']);
  });

  void it('names the scope that an API key lacks', async () => {
    const { code, output } = await peere(['payee', phrase]);
    assert.equal(code, EXIT.fault);
    assert.match(output, /needs a key with the scope network:resolve/);
  });
});

void describe('peere batches', { timeout: 60_000 }, () => {
  void it('lists the newest batches as a table, or as JSON', async () => {
    const { code, stdout } = await peere(['batches', '--limit', '2']);
    assert.equal(code, EXIT.all);
    assert.match(stdout, /^batch +status +rows +created +failed +accepted\n/);
    const { stdout: json } = await peere(['batches', '--limit', '2', '--json']);
    const { data } = (await get('/v1/bank/customers/batches?limit=2')).body;
    assert.deepEqual(JSON.parse(json), data);
  });

  void it('shows one batch, and ends with 1 for an unknown one', async () => {
    const { code, stdout } = await peere(['batches', EXAMPLE_BATCH_ID]);
    assert.equal(code, EXIT.all);
    assert.match(stdout, /^status +COMPLETED/m);
    const unknown = await peere(['batches', 'bat_none']);
    assert.equal(unknown.code, EXIT.some);
    assert.equal(unknown.output, 'Your bank has no batch bat_none. Batches are kept for 30 days.\n');
  });
});

void describe('peere whoami', { timeout: 60_000 }, () => {
  void it('shows the bank, the scopes, the number of customers and the limits', async () => {
    const { code, stdout } = await peere(['whoami']);
    assert.equal(code, EXIT.all);
    assert.match(stdout, /^bank +Demo Bank Lagos \(bnk_demo_lagos\)$/m);
    assert.match(stdout, /^scopes +customers:read, customers:read:extended, /m);
    assert.match(stdout, /^customers +\d+$/m);
    assert.match(stdout, /^lookups +10,000 in 10 s$/m);
    assert.match((await peere(['whoami'], NETWORK)).stdout, /^customers +–$/m);
  });

  void it('prints what the service says with --json', async () => {
    const { stdout } = await peere(['whoami', '--json']);
    assert.deepEqual(JSON.parse(stdout), (await get('/v1/bank')).body.data);
  });
});
