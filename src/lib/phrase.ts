/**
 * Phrases: four words of a list of 2,048 (BIP-39, English), `river-stone-ocean-coral`: 2^44 of them.
 * Drawn at random, never from personal data. That no phrase is given out twice is D1's unique index's to say.
 */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { normalise } from './text.ts';

const WORDS_IN_PHRASE = 4;
/** Characters of a phrase as it is typed: ours have at most 35, and there is room for what stands between the words. */
export const MAX_PHRASE_CHARACTERS = 128;
const words: ReadonlySet<string> = new Set(wordlist);

/** @param random see `Runtime.random`; its 32 bits fall evenly on 2,048 words */
export function createPhrase(random: () => number): string {
  return Array.from({ length: WORDS_IN_PHRASE }, () => wordlist[Math.floor(random() * wordlist.length)]).join(
    '-',
  );
}

/**
 * A phrase as somebody typed it, in the form in which it is stored: NFKC, lower case, and any run of spaces,
 * dots, underscores or hyphens as one hyphen.
 * @returns null where no such phrase can exist, so that neither KV nor D1 need be asked
 */
export function normalisePhrase(text: string): string | null {
  const parts =
    normalise(text, 'NFKC', MAX_PHRASE_CHARACTERS)
      ?.toLowerCase()
      .trim()
      .split(/[\s._-]+/) ?? [];
  return parts.length === WORDS_IN_PHRASE && parts.every((word) => words.has(word)) ? parts.join('-') : null;
}
