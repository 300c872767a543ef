/** Planted bugs. A Vite plugin writes one into the source as the simulation loads it; the Worker never has them. */
import type { Plugin } from 'vite';

interface Mutant {
  /** Ends the path of the file. */
  file: string;
  find: string;
  replace: string;
}

export const MUTANTS: Record<string, Mutant> = {};

export function plantedBug(name: string): Plugin {
  const mutant = MUTANTS[name];
  if (mutant === undefined)
    throw new Error(`There is no planted bug ${name}. There are: ${Object.keys(MUTANTS).join(', ')}.`);
  return {
    name: 'planted-bug',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith(mutant.file)) return null;
      if (code.split(mutant.find).length !== 2)
        throw new Error(`The planted bug ${name} does not fit ${mutant.file}.`);
      return code.replace(mutant.find, () => mutant.replace);
    },
  };
}
