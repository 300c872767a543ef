/**
 * The pages in a real browser, on a real server. `npm run browser`; it needs Chromium or Chrome (set CHROMIUM to its path
 * if it is not found). SCREENSHOTS=<folder> saves a screenshot of each page.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createClient } from '@peere/client';
import { DEMO_CUSTOMER } from '../../src/openapi/examples.ts';
import { projectFolder } from '../../tools/lib/wrangler.ts';
import { Browsing, LOOKS, overflowOf, saveScreenshot, SIZES, violationsOf } from './browsing.ts';

const browsing = new Browsing();
before(() => browsing.start());
after(() => browsing.stop());

void describe('the pages, in a browser', { timeout: 300_000 }, () => {
  for (const { scheme, size } of LOOKS) {
    for (const [path, text, status] of [
      ['/', 'Given a phrase, who is this?', 200],
      ['/docs', 'Who is this?', 200],
      ['/errors', 'What to do', 200],
      ['/console', 'Use the demo API key', 200],
      ['/nothing/here', 'There is no page at this address', 404],
    ] as const) {
      void it(`${path} renders without errors, overflow or a fault that axe-core finds (${scheme}, ${size})`, async () => {
        const { page, complaints, context } = await browsing.open(path, size, scheme, status);
        await page.getByText(text).first().waitFor();
        assert.equal(await overflowOf(page), 0, 'nothing overflows at the side');
        const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
        const red = Number(/\d+/.exec(background));
        await saveScreenshot(
          page,
          `${path === '/' ? 'home' : path.slice(1).replace('/', '-')}-${scheme}-${size}`,
        );
        assert.equal(scheme === 'dark', red < 80 && red > 0);
        // The reference takes long, and is looked at below, with an operation open.
        if (path !== '/docs') assert.deepEqual(await violationsOf(page), []);
        assert.deepEqual(
          complaints.filter((complaint) => status === 200 || !complaint.includes('404')),
          [],
        );
        await context.close();
      });
    }
  }

  for (const scheme of ['light', 'dark'] as const) {
    void it(`the reference has no fault that axe-core finds while an operation is open and tried (${scheme})`, async () => {
      const { page, context } = await browsing.open('/docs', 'wide', scheme);
      const operation = page.locator('#operations-Batches-createCustomers');
      await operation.locator('.opblock-summary-control').first().click();
      await operation.getByRole('button', { name: 'Execute' }).click();
      await operation.locator('.live-responses-table .response').first().waitFor();
      assert.deepEqual(await violationsOf(page), []);
      await context.close();
    });
  }

  void it('what the reference has to try leaves the demo customer as it is', async () => {
    const { page, context } = await browsing.open('/docs');
    for (const name of ['updateCustomer', 'eraseCustomer']) {
      const operation = page.locator(`#operations-Customers-${name}`);
      await operation.locator('.opblock-summary-control').first().click();
      await operation.getByRole('button', { name: 'Execute' }).click();
      await operation.locator('.live-responses-table .response').first().waitFor();
    }
    const client = createClient({ url: browsing.url, key: 'peere_test_lagos_full' });
    const {
      createdAt: _,
      etag: __,
      ...customer
    } = (await client.getCustomer({ id: DEMO_CUSTOMER.id })) ?? {};
    const { createdAt: ___, ...expected } = DEMO_CUSTOMER;
    assert.deepEqual(customer, expected);
    await context.close();
  });

  void it('the reference runs a lookup with the API key that is prefilled', async () => {
    const { page, complaints, context } = await browsing.open('/docs');
    const operation = page.locator('#operations-Customers-getCustomer');
    await operation.locator('.opblock-summary-control').first().click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    const response = operation.locator('.live-responses-table .response');
    await response.getByText('Adaobi Okafor').first().waitFor();
    assert.match((await response.first().textContent()) ?? '', /200/);
    await response.first().scrollIntoViewIfNeeded();
    await saveScreenshot(page, 'docs-tried');
    assert.deepEqual(complaints, []);
    await context.close();
  });

  void it('the client works on a page of the service', async () => {
    const { page, complaints, context } = await browsing.open('/');
    const text = await readFile(join(projectFolder, 'packages/client/dist/client.js'), 'utf8');
    const client = text.replace(/export \{[^}]*\};?\s*$/, '');
    const name = await page.evaluate<string>(`(async () => {
      ${client}
      const peere = createClient({ url: location.origin, key: 'peere_test_lagos_full' });
      const rows = [];
      for await (const row of peere.listCustomers()) rows.push(row);
      return (await peere.getCustomer({ phrase: rows[0].phrase })).accountName;
    })()`);
    assert.equal(name, 'Adaobi Okafor');
    assert.deepEqual(complaints, []);
    await context.close();
  });

  void it('the link of an error leads to its section', async () => {
    const { page, complaints, context } = await browsing.open('/errors#RATE_LIMITED');
    const section = page.locator('section#RATE_LIMITED');
    await section.waitFor();
    const box = await section.boundingBox();
    assert.ok(box !== null && box.y < SIZES.wide.height, 'the section is visible');
    assert.deepEqual(complaints, []);
    await context.close();
  });
});
