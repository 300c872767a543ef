/**
 * The console in a real browser, on a real server, as somebody in a bank's back office uses it. Part of `npm run browser`.
 * SCREENSHOTS=<folder> saves a screenshot of each step, in both themes and two widths.
 */
import assert from 'node:assert/strict';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { createClient } from '@peere/client';
import { buildSite, siteFolder } from '../../tools/build/site.ts';
import { Browsing, LOOKS, overflowOf, saveScreenshot, violationsOf } from './browsing.ts';

const KEY = 'peere_test_lagos_full';
const ROWS = 5_000;
/** Each of these breaks the rules: 2 %. */
const BROKEN_EVERY = 50;
const MAX_SCRIPT_KIB = 120;

/** As a bank's system exports it, with one reference. @param isBroken every so often an email that is none */
function csvOf(rows: number, isBroken: (row: number) => boolean): string {
  const lines = Array.from({ length: rows }, (_, at) => {
    const row = at + 1;
    const email = isBroken(row) ? 'no email' : `person.${row}@console.example.com`;
    return `r-${row},Ada ${row},Okafor,Ada Okafor ${row},${email},NG,01${row}`;
  });
  return `Ref,Given name,Surname,Account holder,E-mail address,Country code,IBAN / Account\n${lines.join('\n')}\n`;
}

const file = (name: string, text: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });

async function downloaded(page: Page, name: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: new RegExp(`^${name.replaceAll('.', '\\.')}`) }).click(),
  ]);
  return readFile(await download.path(), 'utf8');
}

const browsing = new Browsing();
before(() => browsing.start());
after(() => browsing.stop());

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('API key', { exact: true }).fill(KEY);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

const lookUp = async (page: Page, text: string) => {
  await page.getByRole('searchbox').fill(text);
  await page.getByRole('button', { name: 'Look up' }).click();
};

/** Chooses, checks and sends a file, with a second look at its columns. */
async function importFile(page: Page, name: string, text: string, expected: string): Promise<void> {
  await page.getByRole('link', { name: 'Import', exact: true }).click();
  await page.locator('input[type=file]').setInputFiles(file(name, text));
  await page.getByRole('button', { name: 'Check the file' }).click();
  await page.getByRole('button', { name: expected }).waitFor();
  await page.getByRole('button', { name: 'Back to the columns' }).click();
  await page.getByRole('button', { name: 'Check the file' }).click();
  await page.getByRole('button', { name: expected }).click();
  await page.getByText('became customers').waitFor({ timeout: 60_000 });
}

void describe('the console, in a browser', { timeout: 300_000 }, () => {
  void it('takes somebody from signing in to erasing a customer, with an import and a conflict between', async () => {
    const { page, complaints, context } = await browsing.open('/console');
    await page.getByLabel('API key', { exact: true }).fill('peere_test_of_nobody');
    await page.keyboard.press('Enter');
    assert.doesNotMatch(await page.getByText('This API key is not known.').innerText(), /Authorization/);
    await signIn(page);
    await page.locator('[type=search]:focus').waitFor();
    assert.ok(
      !(
        await page.evaluate<string>('location.href + JSON.stringify({ ...localStorage, ...sessionStorage })')
      ).includes(KEY),
    );

    // A phrase as people type it, and an edit that somebody else's change gets in the way of.
    await lookUp(page, 'River stone  OCEAN.coral');
    await page.getByRole('heading', { name: 'Adaobi Okafor' }).waitFor();
    // What is no phrase at all shows nobody, not the customer of before.
    await lookUp(page, 'nobody here at all');
    await page.getByRole('heading', { name: 'Adaobi Okafor' }).waitFor({ state: 'detached' });
    await lookUp(page, 'River stone  OCEAN.coral');
    await page.getByRole('heading', { name: 'Adaobi Okafor' }).waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Address').fill('1 New Street, Lagos');
    await page.getByRole('button', { name: 'Erase …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await page.getByLabel('Address').inputValue(), '1 New Street, Lagos');
    const client = createClient({ url: browsing.url, key: KEY });
    const { id = '' } = (await client.getCustomer({ phrase: 'river-stone-ocean-coral' })) ?? {};
    await client.updateCustomer(id, { state: 'Ogun' });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody else has changed this customer').waitFor();
    assert.match(
      await page.getByRole('region', { name: 'Both versions' }).innerText(),
      /1 New Street[\s\S]*Ogun/,
    );
    await page.getByRole('button', { name: 'Go on with mine' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    const merged = await client.getCustomer({ id }, { fresh: true });
    assert.deepEqual([merged?.state, merged?.address], ['Ogun', '1 New Street, Lagos']);

    // 5,000 rows, 2 % of them wrong; then the failures, fixed.
    const isBroken = (row: number) => row % BROKEN_EVERY === 0;
    await importFile(page, 'people.csv', csvOf(ROWS, isBroken), 'Import 4,900 customers');
    assert.match(await page.locator('.tiles').innerText(), /4,900[\s\S]*100/);
    const phrases = await downloaded(page, 'people.phrases.csv');
    assert.equal(phrases.trim().split('\n').length, 1 + 4_900);
    const failures = await downloaded(page, 'people.failures.csv');
    assert.equal(failures.trim().split('\n').length, 1 + 100);
    let fixed = 0;
    const mended = failures.replaceAll('no email', () => `fixed.${(fixed += 1)}@console.example.com`);
    await page.getByRole('button', { name: 'Another file' }).click();
    await importFile(page, 'fixed.csv', mended, 'Import 100 customers');

    // One of them is erased, by its phrase.
    const phrase = phrases.trim().split('\n').at(-1)?.trim().split(',').at(-1) ?? '';
    await page.getByRole('link', { name: 'Customers', exact: true }).click();
    await lookUp(page, phrase.replaceAll('-', ' '));
    await page.getByRole('button', { name: 'Erase …' }).click();
    const erase = page.getByRole('button', { name: 'Erase for good' });
    assert.ok(await erase.isDisabled());
    await page.getByLabel('to confirm').fill(phrase);
    await erase.click();
    await page.getByText('has been erased').waitFor();
    assert.equal(await client.getCustomer({ phrase }, { fresh: true }), null);
    const { customerCount } = await client.getBank();
    await page.getByText(`${customerCount?.toLocaleString('en')} customers`, { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    // The browser itself remarks on the unknown API key and on the conflict.
    assert.deepEqual(
      complaints.filter((text) => !/status of 4(01|12)/.test(text)),
      [],
    );
    await context.close();
  });

  void it('goes on with an import whose tab was closed, and creates nobody twice', async () => {
    const { page, context } = await browsing.open('/console#import');
    await signIn(page);
    const text = csvOf(3_000, () => false).replaceAll('person.', 'again.');
    await page.locator('input[type=file]').setInputFiles(file('again.csv', text));
    await page.getByRole('button', { name: 'Check the file' }).click();
    await page.getByRole('button', { name: 'Import 3,000 customers' }).click();
    const wasAccepted = `Object.values(localStorage).some((text) => text.includes('bat_') && !JSON.parse(text).isFinished)`;
    while (!(await page.evaluate<boolean>(wasAccepted)));
    await page.close();

    const next = await context.newPage();
    await next.goto(`${browsing.url}/console#import`);
    await signIn(next);
    await next.locator('input[type=file]').setInputFiles(file('renamed.csv', text));
    await next.getByText('import was interrupted').waitFor();
    await next.getByRole('button', { name: 'Go on' }).click();
    await next.getByText('became customers').waitFor({ timeout: 60_000 });
    assert.match(await next.locator('.tiles').innerText(), /3,000[\s\S]*\b0\b/);
    assert.equal((await downloaded(next, 'renamed.phrases.csv')).trim().split('\n').length, 1 + 3_000);
    await context.close();
  });

  void it('asks for the API key again after a reload, unless it is to be kept for the tab', async () => {
    const { page, context } = await browsing.open('/console');
    await signIn(page);
    await page.reload();
    await page.getByLabel(/Keep it for this tab/).check();
    await signIn(page);
    await page.reload();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await context.close();
  });

  void it('keeps somebody signed in who follows the link to the console that they are in', async () => {
    const { page, context } = await browsing.open('/console');
    await signIn(page);
    await page.getByRole('link', { name: 'Console', exact: true }).click();
    await page.waitForURL(/#$/);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await context.close();
  });

  // Two of the four looks have every theme and width. Pictures are wanted of all.
  const looks = LOOKS.filter(
    ({ scheme, size }) =>
      process.env['SCREENSHOTS'] !== undefined || (scheme === 'light') === (size === 'wide'),
  );
  for (const { scheme, size } of looks) {
    void it(`has views without overflow or a fault that axe-core finds (${scheme}, ${size})`, async () => {
      const { page, complaints, context } = await browsing.open('/console', size, scheme);
      await signIn(page);
      await lookUp(page, 'adaobi.okafor@example.com');
      await page.getByRole('heading', { name: 'Adaobi Okafor' }).waitFor();
      const check = async (view: string) => {
        await saveScreenshot(page, `console-${view}-${scheme}-${size}`);
        assert.equal(await overflowOf(page), 0, `${view}: nothing overflows at the side`);
        assert.deepEqual(await violationsOf(page), [], view);
      };
      await check('customer');
      await page.getByRole('button', { name: 'Edit' }).click();
      await check('edit');
      await page.getByRole('button', { name: 'Erase …' }).click();
      await check('erase');
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Import', exact: true }).click();
      await check('import');
      await page.locator('input[type=file]').setInputFiles(
        file(
          'look.csv',
          csvOf(300, (row) => row % 10 === 0),
        ),
      );
      await page.getByRole('button', { name: 'Check the file' }).waitFor();
      await check('import-columns');
      await page.getByRole('button', { name: 'Check the file' }).click();
      await page.getByText('would become customers').waitFor();
      await check('import-checked');
      for (const [name, heading] of [
        ['Batches', 'Batches'],
        ['Events', 'Live'],
        ['Webhooks', 'Webhooks'],
        ['Audit log', 'batch.accepted'],
      ] as const) {
        await page.getByRole('link', { name, exact: true }).click();
        await page.locator('.view').getByText(heading).first().waitFor();
        await page.locator('.view .loading').waitFor({ state: 'detached' });
        await check(name.toLowerCase().replace(' ', '-'));
      }
      await page.getByRole('link', { name: 'Batches', exact: true }).click();
      await page.locator('.view td a').first().click();
      await page.getByText('Processed').waitFor();
      await page.locator('.view .loading').first().waitFor({ state: 'detached' });
      await check('batch');
      await page.getByRole('link', { name: 'Webhooks', exact: true }).click();
      await page.getByRole('button', { name: 'Add a webhook' }).click();
      await check('webhook-add');
      assert.deepEqual(complaints, []);
      await context.close();
    });
  }

  void it('adds, tests, rotates and deletes a webhook', async () => {
    const { page, context } = await browsing.open('/console#webhooks');
    await signIn(page);
    await page.getByRole('button', { name: 'Add a webhook' }).click();
    await page.getByLabel('URL').fill('http://localhost:9/hooks');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const secret = page.getByText(/^whsec_/);
    const first = await secret.innerText();
    await page.getByRole('button', { name: 'I have stored it' }).click();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText(/No response within|answered with/).waitFor();
    await page.getByRole('button', { name: 'Rotate the secret' }).click();
    await secret.waitFor();
    assert.notEqual(await secret.innerText(), first);
    await page.getByRole('button', { name: 'I have stored it' }).click();
    await saveScreenshot(page, 'console-webhook');
    await page.getByRole('button', { name: 'Delete …' }).click();
    await page.getByLabel('to confirm').fill('localhost:9');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('No webhooks yet').waitFor();
    await context.close();
  });
});

void describe('the scripts of the console', () => {
  void it('are built into a folder that has nothing of an earlier build, while it is being served', async () => {
    const left = join(siteFolder, 'of-an-earlier-build.js');
    await writeFile(left, 'old');
    await buildSite();
    await assert.rejects(access(left), /ENOENT/);
    assert.equal((await fetch(`${browsing.url}/console.js`)).status, 200);
  });

  void it(`take at most ${MAX_SCRIPT_KIB} KiB gzipped, with the Web Worker`, async () => {
    const scripts = ['console.js', 'console-import.js'].map((name) => readFile(join(siteFolder, name)));
    const bytes = (await Promise.all(scripts)).reduce((sum, script) => sum + gzipSync(script).length, 0);
    assert.ok(bytes <= MAX_SCRIPT_KIB * 1_024, `${Math.ceil(bytes / 1_024)} KiB`);
  });
});
