/** Values of options. */
import { InvalidArgumentError } from 'commander';

/** Reads a whole number from 1 to `max`. @throws InvalidArgumentError */
export const wholeNumber = (max: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  }
  return value;
};

/** Collects the values of an option that may be repeated. */
export const collectPairs = (pair: string, pairs: string[]): string[] => [...pairs, pair];
