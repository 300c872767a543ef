/** Reads wrangler.toml with wrangler's own parser, and fills in the lines that the first deploy determines. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unstable_readConfig } from 'wrangler';
import { projectFolder } from './wrangler.ts';

const file = join(projectFolder, 'wrangler.toml');

/** The settings that are used here; wrangler does not export its own type. */
export interface Config {
  name: string;
  compatibility_date: string;
  vars: Record<string, string | number>;
  ratelimits: { name: string; namespace_id: string; simple: { limit: number; period: 10 | 60 } }[];
  d1_databases: { binding: string; database_name: string; database_id?: string }[];
  queues: { consumers: { queue: string; max_batch_size: number; max_concurrency: number }[] };
}

/** @throws wrangler's error if the file can't be read */
export function readConfig(): Config {
  return unstable_readConfig({ config: file }, { hideWarnings: true });
}

/** Values that are only known after the first deploy. */
export interface Deployment {
  /** By binding. */
  databaseIds: Map<string, string>;
  host: string;
}

/**
 * Replaces the commented placeholder of each setting. A line that has the value already stays as it is.
 * @throws if a line has another value, which somebody chose, or is missing
 */
export async function writeDeployment({ databaseIds, host }: Deployment): Promise<void> {
  let text = await readFile(file, 'utf8');
  text = withLine(text, 'routes', `[{ pattern = "${host}", custom_domain = true }]`);
  text = withLine(text, 'PUBLIC_URL', `"https://${host}"`);
  for (const [binding, id] of databaseIds) {
    const start = text.indexOf(`binding = "${binding}"`);
    text = text.slice(0, start) + withLine(text.slice(start), 'database_id', `"${id}"`);
  }
  await writeFile(file, text);
}

function withLine(text: string, name: string, value: string): string {
  const line = `${name} = ${value}`;
  const [present] = new RegExp(`^(# )?${name} = .*$`, 'm').exec(text) ?? [];
  if (present === line) return text;
  if (present?.startsWith('# ') !== true) {
    throw new Error(`wrangler.toml needs the line ${line}, and has ${present ?? 'none'}: change it by hand.`);
  }
  return text.replace(present, line);
}
