/** A server and a browser for tests of pages: what a page complains about, how it looks, and what axe-core finds. */
import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { startServer, type Server } from '../../tools/dev/server.ts';

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

export const SIZES = { wide: { width: 1400, height: 900 }, phone: { width: 390, height: 844 } };
type Size = keyof typeof SIZES;
type Scheme = 'light' | 'dark';

export const LOOKS = (['light', 'dark'] as const).flatMap((scheme) =>
  (['wide', 'phone'] as const).map((size) => ({ scheme, size })),
);

export interface OpenPage {
  page: Page;
  /** Errors and warnings of the console, and requests to other hosts. */
  complaints: string[];
  context: BrowserContext;
}

/** One server and one browser for all tests of a file. */
export class Browsing {
  #server: Server | undefined;
  #browser: Browser | undefined;

  async start(): Promise<void> {
    const executablePath = await findBrowser();
    [this.#server, this.#browser] = await Promise.all([
      startServer(),
      chromium.launch({ executablePath, args: ARGUMENTS }),
    ]);
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#server?.stop();
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  async open(
    path: string,
    size: Size = 'wide',
    colorScheme: Scheme = 'light',
    status = 200,
  ): Promise<OpenPage> {
    assert.ok(this.#browser !== undefined);
    const context = await this.#browser.newContext({
      viewport: SIZES[size],
      colorScheme,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (!['data:', 'blob:'].includes(protocol) && origin !== this.url)
        complaints.push(`requested ${request.url()}`);
    });
    const response = await page.goto(this.url + path, { waitUntil: 'networkidle' });
    assert.equal(response?.status(), status);
    return { page, complaints, context };
  }
}

export async function saveScreenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @returns every rule of axe-core that the page breaks, and where */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(await axe);
  return page.evaluate<string[]>(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ' at ' + target.join(' '))))`);
}

/** @returns pixels by which the page is wider than its body, which ends where a scrollbar is or would be */
export const overflowOf = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.body.offsetWidth');
