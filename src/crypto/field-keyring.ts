/** The field keys of this Worker, which are its secrets: each read once for an isolate. */
import type { Env } from '../env.ts';
import { unavailable } from '../errors.ts';
import { fieldKeyVersions, importFieldKey, type FieldKey } from './field-cipher.ts';
import type { Runtime } from '../runtime.ts';

export class FieldKeyring {
  readonly #keys = new Map<number, Promise<FieldKey>>();

  /**
   * @param version of the key; without one, the newest
   * @throws UNAVAILABLE where there is none that can be read: nothing is ever stored unsealed
   */
  async get(env: Env, runtime: Pick<Runtime, 'log'>, version?: number): Promise<FieldKey> {
    const wanted = version ?? fieldKeyVersions(Object.keys(env)).at(-1) ?? 0;
    const key = this.#keys.get(wanted) ?? importFieldKey(wanted, env[`FIELD_KEY_${wanted}`] ?? '');
    this.#keys.set(wanted, key);
    try {
      return await key;
    } catch (error) {
      this.#keys.delete(wanted);
      runtime.log('error', { event: 'field_key_missing' });
      throw unavailable(error);
    }
  }
}
