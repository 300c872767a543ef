/** What somebody typed to find a customer: an email, an id, or a phrase in whatever way people type one. */
import type { CustomerIdentifier } from '@peere/client';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { normalisePhrase } from '../../../../src/lib/phrase.ts';

const WORDS = new Set<string>(wordlist);
const PHRASE_WORDS = 4;

export type Typed = { identifier: CustomerIdentifier } | { fault: string };

/** Every unknown phrase counts against the API key, so what can be no phrase is not asked for. */
export function readIdentifier(text: string): Typed {
  const typed = text.trim();
  if (typed.includes('@')) return { identifier: { email: typed } };
  if (typed.startsWith('cus_')) return { identifier: { id: typed } };
  const phrase = normalisePhrase(typed);
  return phrase === null ? { fault: phraseFault(typed) } : { identifier: { phrase } };
}

function phraseFault(typed: string): string {
  const words = typed
    .normalize('NFKC')
    .toLowerCase()
    .split(/[\s._-]+/);
  const unknown = words.filter((word) => !WORDS.has(word));
  if (words.length === PHRASE_WORDS && unknown.length > 0) {
    const named = unknown.map((word) => `“${word}”`).join(' and ');
    return `${named} ${unknown.length === 1 ? 'is not a word that phrases use' : 'are not words that phrases use'}: check the spelling.`;
  }
  return `A phrase has four words, and this has ${words.length}. An email has an @, and an id begins with cus_.`;
}
