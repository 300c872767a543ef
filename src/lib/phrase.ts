/**
 * Phrases: four words of a list of 2,048 (BIP-39, English), such as `river-stone-ocean-coral`; there are 2^44. They are
 * random, never derived from personal data. A shard's unique index, and first words of its own
 * (databases/first-words.ts), ensure that no phrase is assigned twice.
 */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { normalise } from './text.ts';

const WORDS_IN_PHRASE = 4;
/** Longest phrase as typed. A stored phrase has at most 35 characters; the rest is room for separators. */
export const MAX_PHRASE_CHARACTERS = 128;
const words: ReadonlySet<string> = new Set(wordlist);

/**
 * @param random see `Runtime.random`; 2,048 words divide its 32 bits evenly
 * @param firstWords the words with which the phrase may begin
 */
export function createPhrase(random: () => number, firstWords: readonly string[]): string {
  const draw = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? '';
  return [draw(firstWords), draw(wordlist), draw(wordlist), draw(wordlist)].join('-');
}

/**
 * Converts a phrase as typed to its stored form: NFKC, lower case, one hyphen for each run of spaces, dots, underscores
 * or hyphens.
 * @returns null if no such phrase can exist, so that neither the cache nor D1 needs to be read
 */
export function normalisePhrase(text: string): string | null {
  const parts =
    normalise(text, 'NFKC', MAX_PHRASE_CHARACTERS)
      ?.toLowerCase()
      .trim()
      .split(/[\s._-]+/) ?? [];
  return parts.length === WORDS_IN_PHRASE && parts.every((word) => words.has(word)) ? parts.join('-') : null;
}
