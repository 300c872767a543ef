/** .dev.vars, which wrangler reads for a local server and git ignores: ENVIRONMENT=local and this machine's field keys. */
import { randomBytes } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import {
  FIELD_KEY_BYTES,
  fieldKeyVersions,
  importFieldKey,
  type FieldKey,
} from '../../src/crypto/field-cipher.ts';
import { projectFolder } from '../lib/wrangler.ts';

export const devVarsFile = join(projectFolder, '.dev.vars');

/** @returns a new field key, in the format of the Worker's secret */
export function generateFieldKey(): string {
  return randomBytes(FIELD_KEY_BYTES).toString('base64');
}

export async function readDevVars(): Promise<NodeJS.Dict<string>> {
  return parseEnv(await readFile(devVarsFile, 'utf8').catch(() => ''));
}

/** @returns the version of the new key */
export async function addLocalFieldKey(): Promise<number> {
  const version = (fieldKeyVersions(Object.keys(await readDevVars())).at(-1) ?? 0) + 1;
  await addDevVar(`FIELD_KEY_${version}`, generateFieldKey());
  return version;
}

/**
 * Allows the Worker to accept demo API keys, and gives it a field key, without which it could store no customer.
 * @returns the newest field key
 */
export async function ensureDevVars(): Promise<FieldKey> {
  const known = await readDevVars();
  if (known['ENVIRONMENT'] === undefined) await addDevVar('ENVIRONMENT', 'local');
  const version = fieldKeyVersions(Object.keys(known)).at(-1) ?? (await addLocalFieldKey());
  return importFieldKey(version, (await readDevVars())[`FIELD_KEY_${version}`] ?? '');
}

async function addDevVar(name: string, value: string): Promise<void> {
  await appendFile(devVarsFile, `${name}="${value}"\n`, { mode: 0o600 });
}
