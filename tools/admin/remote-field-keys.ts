/** The field keys of the deployed Worker: secrets, whose names can be listed but whose values can't be read. */
import { fieldKeyVersions } from '../../src/crypto/field-cipher.ts';
import { generateFieldKey } from '../dev/dev-vars.ts';
import { wrangler } from '../lib/wrangler.ts';

export interface NewFieldKey {
  name: string;
  key: string;
}

/** @returns the versions that are set, oldest first; none if there is no Worker yet */
export async function listRemoteFieldKeys(): Promise<number[]> {
  try {
    const secrets = JSON.parse(await wrangler(['secret', 'list', '--format', 'json'])) as { name: string }[];
    return fieldKeyVersions(secrets.map(({ name }) => name));
  } catch (error) {
    if (/Worker "[^"]*" not found/.test(String(error))) return [];
    throw error;
  }
}

/**
 * Generates a key and shows it before it is set: a key in use that nobody has would be worse than a key that is not used.
 */
export function showNewFieldKey(version: number): NewFieldKey {
  const newKey = { name: `FIELD_KEY_${version}`, key: generateFieldKey() };
  console.log(`This field key is shown only once. Store it in your vault: nobody can read it back from Cloudflare, and nothing else
opens what it sealed. If a deploy fails and another key of this name is shown, the last one counts.

  ${newKey.name}=${newKey.key}
`);
  return newKey;
}
