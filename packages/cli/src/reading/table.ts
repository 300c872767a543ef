/** From text to rows, whatever the format: whatever the size of the file, a few rows of it are in memory. */
import { ImportFault } from './fault.ts';
import { openCsv, readCsv } from './csv.ts';
import { readJson } from './json.ts';
import { readNdjson } from './ndjson.ts';
import type { Input, Table } from './row.ts';

/**
 * @param map see fields.ts; for CSV alone
 * @throws ImportFault, here or where the rows are read
 */
export async function readTable({ name, format, text }: Input, map: string[]): Promise<Table> {
  if (format === 'csv') return readCsv(name, text(), map);
  if (map.length > 0) throw new ImportFault('--map is for CSV: in JSON, rename the keys.');
  return format === 'ndjson' ? readNdjson(text()) : readJson(name, text());
}

/**
 * The same, without asking which column is which.
 * @throws ImportFault, here or where the rows are read
 */
export async function lookThrough(
  input: Input,
): Promise<{ rows: AsyncGenerator; ignored: ReadonlySet<string> }> {
  if (input.format !== 'csv') return readTable(input, []);
  const { records } = await openCsv(input.name, input.text());
  return { rows: records, ignored: new Set() };
}
