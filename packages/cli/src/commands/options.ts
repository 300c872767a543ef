/** Options that several commands have, and values of options. */
import { InvalidArgumentError, Option } from 'commander';

/** Reads a whole number from 1 to `max`. @throws InvalidArgumentError */
export const wholeNumber = (max: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  }
  return value;
};

/** The format of a file that is read. */
export const formatOption = () =>
  new Option('--format <format>', 'format of the file, if its name does not tell').choices([
    'csv',
    'ndjson',
    'json',
  ]);

/** The columns of a file that is read. @param fields that may be named */
export const mapOption = (fields: readonly string[]) =>
  new Option(
    '--map <field=column>',
    `column of a field, if the column’s name does not tell; repeat it for each field. Fields: ${fields.join(', ')}`,
  )
    .argParser((pair: string, pairs: string[]) => [...pairs, pair])
    .default([]);
