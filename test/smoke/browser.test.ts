/**
 * The pages in a real browser, on a real server. `npm run browser`; it needs Chromium or Chrome (set CHROMIUM to its path
 * if it is not found). SCREENSHOTS=<folder> saves a screenshot of each page.
 */
import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { startServer, type Server } from '../../tools/dev/server.ts';
import { projectFolder } from '../../tools/lib/wrangler.ts';

const KNOWN_PATHS = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
/** Without a sandbox, because tests may run as root, and without requests of the browser's own. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

async function findBrowser(): Promise<string> {
  for (const path of KNOWN_PATHS) {
    if (
      path !== undefined &&
      (await access(path).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  throw new Error('This test needs Chromium or Chrome: install one, or set CHROMIUM to its path.');
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

interface OpenPage {
  page: Page;
  /** Errors and warnings of the console, and requests to other hosts. */
  complaints: string[];
  context: BrowserContext;
}

const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
type Size = keyof typeof SIZES;
type Scheme = 'light' | 'dark';

async function open(path: string, size: Size = 'wide', colorScheme: Scheme = 'light'): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== server.url) complaints.push(`requested ${request.url()}`);
  });
  const response = await page.goto(server.url + path, { waitUntil: 'networkidle' });
  assert.equal(response?.status(), 200);
  return { page, complaints, context };
}

async function saveScreenshot(page: Page, name: string): Promise<void> {
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
      void it(`${path} renders without errors or overflow (${scheme}, ${size})`, async () => {
        const { page, complaints, context } = await open(path, size, scheme);
        await page.getByText(text).first().waitFor();
        const tooWide = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        assert.equal(tooWide, 0, 'nothing overflows at the side');
        const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
        const red = Number(/\d+/.exec(background));
        const name = path === '/' ? 'landing' : path.slice(1);
        await saveScreenshot(page, `${name}-${scheme}-${size}`);
        assert.equal(scheme === 'dark', red < 80 && red > 0);
        assert.deepEqual(complaints, []);
        await context.close();
      });
    }
  }

  void it('the reference runs a lookup with the API key that is prefilled', async () => {
    const { page, complaints, context } = await open('/docs');
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

  void it('the link of an error leads to its section', async () => {
    const { page, complaints, context } = await open('/errors#RATE_LIMITED');
    const section = page.locator('section#RATE_LIMITED');
    await section.waitFor();
    const box = await section.boundingBox();
    assert.ok(box !== null && box.y < SIZES.wide.height, 'the section is visible');
    assert.deepEqual(complaints, []);
    await context.close();
  });
});
