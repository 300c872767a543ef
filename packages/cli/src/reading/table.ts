/** Turns text of any format into rows, a few of which are in memory at a time, whatever the size of the file. */
import { openCsv, readCsv } from './csv.ts';
import { CommandError } from './errors.ts';
import { NEW_CUSTOMER, type Mapping, type WantedFields } from './fields.ts';
import { readJson } from './json.ts';
import { readNdjson } from './ndjson.ts';
import type { Input, Table } from './row.ts';

/**
 * @param map as in `mapColumns`; for CSV only
 * @throws CommandError, here or while the rows are read
 */
export async function readTable(
  { name, format, text }: Input,
  map: Mapping,
  wanted: WantedFields = NEW_CUSTOMER,
): Promise<Table> {
  if (format === 'csv') return readCsv(name, text(), map, wanted);
  if (Array.isArray(map) && map.length > 0)
    throw new CommandError('--map is for CSV: in JSON, rename the keys.');
  return format === 'ndjson' ? readNdjson(text(), wanted) : readJson(name, text(), wanted);
}

/**
 * Reads the rows without mapping columns to fields, to find out whether the file can be read to its end.
 * @throws CommandError, here or while the rows are read
 */
export async function scanTable(
  input: Input,
): Promise<{ rows: AsyncGenerator; ignored: ReadonlySet<string> }> {
  if (input.format !== 'csv') return readTable(input, []);
  const { records } = await openCsv(input.name, input.text());
  return { rows: records, ignored: new Set() };
}
