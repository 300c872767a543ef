/** The field key of this Worker: the newest of those in its secrets, read once for an isolate. */
import type { Env } from '../env.ts';
import { unavailable } from '../errors.ts';
import { fieldKeyVersions, importFieldKey, type FieldKey } from '../lib/field-cipher.ts';
import type { Runtime } from '../runtime.ts';

export class FieldKeyMemory {
  #newest: Promise<FieldKey> | undefined;

  /** @throws UNAVAILABLE where there is none that can be read: nothing is ever stored unsealed */
  async newest(env: Env, runtime: Pick<Runtime, 'log'>): Promise<FieldKey> {
    try {
      this.#newest ??= importNewest(env);
      return await this.#newest;
    } catch (error) {
      this.#newest = undefined;
      runtime.log('error', { event: 'field_key_missing' });
      throw unavailable(error);
    }
  }
}

function importNewest(env: Env): Promise<FieldKey> {
  const version = fieldKeyVersions(Object.keys(env)).at(-1) ?? 0;
  return importFieldKey(version, env[`FIELD_KEY_${version}`] ?? '');
}
