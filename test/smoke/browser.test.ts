/**
 * The pages in a real browser, on a real server. `npm run browser`; it needs Chromium or Chrome (CHROMIUM says where,
 * if it is not in a usual place). SCREENSHOTS=<folder> keeps a picture of each page.
 */
import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { startServer, type Server } from '../../tools/dev/server.ts';
import { projectFolder } from '../../tools/lib/wrangler.ts';

const USUAL = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
/** No sandbox of its own where tests run as root, and nothing that asks hosts elsewhere by itself. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

async function findBrowser(): Promise<string> {
  for (const path of USUAL) {
    if (
      path !== undefined &&
      (await access(path).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  throw new Error(
    'This test needs Chromium or Chrome. Install one, or say where it is: CHROMIUM=/path/to/it',
  );
}

let server: Server;
let browser: Browser;
before(async () => {
  const executablePath = await findBrowser();
  [server, browser] = await Promise.all([
    startServer(),
    chromium.launch({ executablePath, args: ARGUMENTS }),
  ]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

interface Seen {
  page: Page;
  /** What the console said that is an error, and hosts that were asked but should not be. */
  complaints: string[];
  context: BrowserContext;
}

const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
type Size = keyof typeof SIZES;
type Scheme = 'light' | 'dark';

async function open(path: string, size: Size = 'wide', colorScheme: Scheme = 'light'): Promise<Seen> {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== server.url) complaints.push(`asked ${request.url()}`);
  });
  const answer = await page.goto(server.url + path, { waitUntil: 'networkidle' });
  assert.equal(answer?.status(), 200);
  return { page, complaints, context };
}

async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

const LOOKS = (['light', 'dark'] as const).flatMap((scheme) =>
  (['wide', 'phone'] as const).map((size) => ({ scheme, size })),
);

void describe('the pages, in a browser', { timeout: 120_000 }, () => {
  for (const { scheme, size } of LOOKS) {
    for (const [path, text] of [
      ['/', 'Given a phrase, who is this?'],
      ['/docs', 'Who is this?'],
      ['/errors', 'What to do'],
    ] as const) {
      void it(`${path} reads well, ${scheme}, ${size}`, async () => {
        const { page, complaints, context } = await open(path, size, scheme);
        await page.getByText(text).first().waitFor();
        const tooWide = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        assert.equal(tooWide, 0, 'nothing sticks out at the side');
        const paper = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
        const red = Number(/\d+/.exec(paper));
        const name = path === '/' ? 'landing' : path.slice(1);
        await keepPicture(page, `${name}-${scheme}-${size}`);
        assert.equal(scheme === 'dark', red < 80 && red > 0);
        assert.deepEqual(complaints, []);
        await context.close();
      });
    }
  }

  void it('a lookup is tried from the reference, with the key that is there already', async () => {
    const { page, complaints, context } = await open('/docs');
    const operation = page.locator('#operations-Customers-getCustomer');
    await operation.locator('.opblock-summary-control').first().click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    const answer = operation.locator('.live-responses-table .response');
    await answer.getByText('Adaobi Okafor').first().waitFor();
    assert.match((await answer.first().textContent()) ?? '', /200/);
    await answer.first().scrollIntoViewIfNeeded();
    await keepPicture(page, 'docs-tried');
    assert.deepEqual(complaints, []);
    await context.close();
  });

  void it('the client works there, on a page of the service', async () => {
    const { page, complaints, context } = await open('/');
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

  void it('an error leads to its section', async () => {
    const { page, complaints, context } = await open('/errors#RATE_LIMITED');
    const section = page.locator('section#RATE_LIMITED');
    await section.waitFor();
    const box = await section.boundingBox();
    assert.ok(box !== null && box.y < SIZES.wide.height, 'it is in sight');
    assert.deepEqual(complaints, []);
    await context.close();
  });
});
