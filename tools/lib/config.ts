/** wrangler.toml: read by wrangler's own parser, and written, a line at a time, by the first deploy. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unstable_readConfig } from 'wrangler';
import { projectFolder } from './wrangler.ts';

const file = join(projectFolder, 'wrangler.toml');

/** What is read of it; wrangler's own type is not among what it publishes. */
export interface Config {
  name: string;
  compatibility_date: string;
  vars: Record<string, string | number>;
  ratelimits: { name: string; namespace_id: string; simple: { limit: number; period: 10 | 60 } }[];
  d1_databases: { database_name: string; database_id?: string }[];
  kv_namespaces: { binding: string; id?: string }[];
  queues: { consumers: { queue: string }[] };
}

/** @throws in wrangler's words, when it can't be read */
export function readConfig(): Config {
  return unstable_readConfig({ config: file }, { hideWarnings: true });
}

/** What only the first deploy knows. */
export interface Deployment {
  databaseId: string;
  namespaceId: string;
  host: string;
}

/**
 * Writes it where a comment keeps its place; a line that says it already stays as it is.
 * @throws when a line says something else, which is somebody's decision, or is not there
 */
export async function writeDeployment({ databaseId, namespaceId, host }: Deployment): Promise<void> {
  let text = await readFile(file, 'utf8');
  text = withLine(text, 'routes', `[{ pattern = "${host}", custom_domain = true }]`);
  text = withLine(text, 'PUBLIC_URL', `"https://${host}"`);
  text = withLine(text, 'database_id', `"${databaseId}"`);
  text = withLine(text, 'id', `"${namespaceId}"`);
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
