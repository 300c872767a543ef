/** The field keys of this machine's server. They lie in .dev.vars, which wrangler reads and git ignores. */
import { randomBytes } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { FIELD_KEY_BYTES, fieldKeyVersions, importFieldKey, type FieldKey } from '../src/lib/field-cipher.ts';
import { projectFolder } from './wrangler.ts';

const file = join(projectFolder, '.dev.vars');

/** @returns a new key, as the Worker's secret has it */
export function makeFieldKey(): string {
  return randomBytes(FIELD_KEY_BYTES).toString('base64');
}

export async function readLocalFieldKeys(): Promise<NodeJS.Dict<string>> {
  return parseEnv(await readFile(file, 'utf8').catch(() => ''));
}

/** @returns the version of the new key */
export async function addLocalFieldKey(): Promise<number> {
  const version = (fieldKeyVersions(Object.keys(await readLocalFieldKeys())).at(-1) ?? 0) + 1;
  await appendFile(file, `FIELD_KEY_${version}="${makeFieldKey()}"\n`, { mode: 0o600 });
  return version;
}

/**
 * A server that has no key could accept nobody.
 * @returns the newest
 */
export async function ensureLocalFieldKey(): Promise<FieldKey> {
  const version =
    fieldKeyVersions(Object.keys(await readLocalFieldKeys())).at(-1) ?? (await addLocalFieldKey());
  return importFieldKey(version, (await readLocalFieldKeys())[`FIELD_KEY_${version}`] ?? '');
}
