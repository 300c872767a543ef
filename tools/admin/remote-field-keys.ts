/** The field keys of the deployed Worker: secrets, whose names can be listed and whose values nobody can read back. */
import { fieldKeyVersions } from '../../src/crypto/field-cipher.ts';
import { makeFieldKey } from '../dev/dev-vars.ts';
import { wrangler } from '../lib/wrangler.ts';

export interface NewFieldKey {
  name: string;
  key: string;
}

/** @returns the versions that are set, oldest first; none when there is no Worker yet */
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
 * Makes a key and shows it. Shown before it is set: a key that seals and that nobody has would be worse than one that
 * seals nothing.
 */
export function showNewFieldKey(version: number): NewFieldKey {
  const newKey = { name: `FIELD_KEY_${version}`, key: makeFieldKey() };
  console.log(`This field key is shown this once. Put it into your vault: nobody can read it back from Cloudflare, and what
it sealed opens with nothing else. If another of this name is shown, because a deploy failed, the last one counts.

  ${newKey.name}=${newKey.key}
`);
  return newKey;
}
