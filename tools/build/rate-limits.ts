/**
 * Copies the rate limits from wrangler.toml, where they are set, to src/rate-limits/rate-limits.json for the Worker: the
 * platform's limiters do not expose their settings.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../lib/config.ts';
import { projectFolder } from '../lib/wrangler.ts';

const file = join(projectFolder, 'src/rate-limits/rate-limits.json');

export async function writeRateLimits(): Promise<void> {
  const limits = Object.fromEntries(readConfig().ratelimits.map(({ name, simple }) => [name, simple]));
  const text = `${JSON.stringify(limits, null, 2)}\n`;
  // Written only if it has changed: wrangler rebuilds whenever a file in src is written.
  if ((await readFile(file, 'utf8').catch(() => '')) !== text) await writeFile(file, text);
}
