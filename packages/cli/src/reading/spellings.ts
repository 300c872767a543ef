/** Values that exports write in a way of their own: the country's name for its code, a letter for the gender. */
import type { Field } from './fields.ts';

const GENDERS = new Map([
  ['m', 'male'],
  ['f', 'female'],
]);

/** Names that the runtime does not have. */
const SHORT_NAMES = [
  ['uk', 'GB'],
  ['usa', 'US'],
  ['uae', 'AE'],
] as const;

const LETTERS = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');

/** `Côte d’Ivoire` is `cote d'ivoire`, and `The Gambia` is `gambia`. */
const fold = (name: string) =>
  name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll('’', "'")
    .trim()
    .toLowerCase()
    .replace(/^the\s+/, '');

let countries: Map<string, string> | undefined;

/** The code of each country, by its English name. The runtime knows them, and which codes are out of use. */
function countryCodes(): Map<string, string> {
  if (countries !== undefined) return countries;
  countries = new Map(SHORT_NAMES);
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
  for (const code of LETTERS.flatMap((first) => LETTERS.map((second) => first + second))) {
    const isInUse = new Intl.Locale(`und-${code}`).region === code;
    const name = isInUse ? names.of(code) : undefined;
    if (name !== undefined) countries.set(fold(name), code);
  }
  return countries;
}

/** @returns the value as the service takes it, if the cell says the same in another way; otherwise the cell */
export function respell(field: Field, cell: string): string {
  if (field === 'country') return countryCodes().get(fold(cell)) ?? cell;
  if (field === 'gender') return GENDERS.get(fold(cell)) ?? cell;
  return cell;
}
