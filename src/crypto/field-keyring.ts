/** The field keys among the Worker's secrets, each imported once per isolate. */
import type { Env } from '../env.ts';
import { unavailable } from '../errors.ts';
import { fieldKeyVersions, importFieldKey, type FieldKey } from './field-cipher.ts';
import type { Runtime } from '../runtime.ts';

export class FieldKeyring {
  readonly #keys = new Map<number, Promise<FieldKey>>();

  /**
   * @param version of the key; by default the newest
   * @throws UNAVAILABLE if it can't be read: nothing is ever stored unsealed
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
