/** Changes staged rows, so that they can't become customers as they are. */
import { STAGED_FIELDS } from '../../src/batches/staged-customer.ts';
import type { Random } from './random.ts';

const CORRUPTIONS = [
  { fault: 'row breaks a constraint', field: 'country', source: "SELECT 'Atlantis' AS value" },
  {
    fault: 'phrase collides',
    field: 'phrase',
    source: 'SELECT phrase AS value FROM customers ORDER BY id LIMIT 1',
  },
  {
    // As if the shard had drawn a phrase that a bank took along.
    fault: 'phrase is retired',
    field: 'phrase',
    source: 'SELECT phrase AS value FROM retired_phrases ORDER BY bank_id IS NULL, phrase LIMIT 1',
  },
] as const;

/** @returns what was done; undefined: there was no staged row, or no such phrase */
export async function corruptStagedRow(
  { SHARD_1, SHARD_2 }: Cloudflare.Env,
  random: Random,
): Promise<string | undefined> {
  const { fault, field, source } = random.pick(CORRUPTIONS);
  const { meta } = await random
    .pick([SHARD_1, SHARD_2])
    .prepare(
      `UPDATE batch_chunks SET payload = json_set(payload, '$[0][${STAGED_FIELDS.indexOf(field)}]', corrupt.value)
       FROM (${source}) AS corrupt
       WHERE payload IS NOT NULL AND (bank_id, batch_id, chunk) IN (
         SELECT bank_id, batch_id, chunk FROM batch_chunks WHERE payload IS NOT NULL ORDER BY batch_id LIMIT 1)`,
    )
    .run();
  return meta.changes > 0 ? fault : undefined;
}
