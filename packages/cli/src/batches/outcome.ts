/** What became of each row, and how the two output files show it: those that became customers, and those that failed. */
import { stringify } from 'csv-stringify/sync';
import { checksumOf, COLUMNS_AFTER, COLUMNS_BEFORE } from '../reading/failures-file.ts';
import { escapeFormula } from '../reading/formulas.ts';

export interface FailedRow {
  /** Number in the file, from 1, not counting the header. */
  row: number;
  cells: string[];
  code: string;
  reason: string;
  /** The fields that the service found at fault. Absent if it was not asked. */
  fields?: string[];
  /** It failed only because it repeats another row of the file. */
  isRepeat: boolean;
}

export interface CreatedRow {
  /** Number in the file, from 1, not counting the header. */
  row: number;
  clientRef: string;
  id: string;
  phrase: string;
}

/** What became of a batch. */
export interface BatchOutcome {
  /** Empty in a dry run, whose `createdCount` still counts the rows. */
  created: CreatedRow[];
  createdCount: number;
  failed: FailedRow[];
}

export const PHRASE_HEADERS = ['row', 'clientRef', 'id', 'phrase'];

export function phraseCells({ row, clientRef, id, phrase }: CreatedRow): string[] {
  return [String(row), escapeFormula(clientRef), id, phrase];
}

/** The header of a file of failures. @param headers of the input */
export function failureHeaders(headers: string[]): string[] {
  return [...COLUMNS_BEFORE, ...headers.map(escapeFormula), ...COLUMNS_AFTER];
}

export function failureCells({ row, cells, code, reason, isRepeat }: FailedRow): string[] {
  const check = isRepeat ? checksumOf(cells) : '';
  return [String(row), ...[...cells, code, reason].map(escapeFormula), check];
}

/** @param isBeginning Excel only reads UTF-8 if the file begins with a byte order mark */
export function toCsv(rows: string[][], delimiter: string, isBeginning: boolean): string {
  return stringify(rows, { bom: isBeginning, delimiter });
}
