/** What the name of a file says: its format, and what the outputs are called. */
import { workbook } from './decode.ts';
import type { Format } from './row.ts';

const WORKBOOK_NAME = /\.(xlsx|xlsm|xlsb|xls|ods|numbers)$/i;

const FORMATS: Record<string, Format> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
};

export interface FileName {
  /** Without its extensions: `customers`. */
  stem: string;
  /** Undefined if the name does not say it. */
  format: Format | undefined;
}

/** @throws CommandError for a spreadsheet's workbook */
export function readFileName(name: string): FileName {
  if (WORKBOOK_NAME.test(name)) throw workbook(name);
  const [, stem = name, ending = ''] = /^(.*?)\.(csv|tsv|txt|ndjson|jsonl|json)(\.gz)?$/i.exec(name) ?? [];
  return { stem, format: FORMATS[ending.toLowerCase()] };
}
