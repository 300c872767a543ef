/**
 * The first word of a phrase belongs to the shard that gave it out, like an area code. So no two shards give out the same
 * phrase, without an index that they have in common. A customer keeps the phrase when its bank moves.
 */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { once } from '../lib/once.ts';
import { createPhrase } from '../lib/phrase.ts';
import type { ShardName } from './home.ts';

/** Words of SHARD_1, which most deployments never leave, and of each later shard: 96 words begin 8 × 10^11 phrases. */
const FIRST_SHARD_WORDS = 512;
const LATER_SHARD_WORDS = 96;
/** All words are dealt then. */
export const MAX_SHARDS = 1 + (wordlist.length - FIRST_SHARD_WORDS) / LATER_SHARD_WORDS;

/**
 * Deals the words over the alphabet: as it is odd, each word gets another place. A stored format: with another number,
 * shards would give out each other's phrases.
 */
const SHUFFLE = 1_637;

function shardOfWordAt(index: number): ShardName {
  const place = (index * SHUFFLE) % wordlist.length;
  if (place < FIRST_SHARD_WORDS) return 'SHARD_1';
  return `SHARD_${2 + Math.floor((place - FIRST_SHARD_WORDS) / LATER_SHARD_WORDS)}`;
}

const wordsByShard = once(() => Map.groupBy(wordlist, (_, index) => shardOfWordAt(index)));
const shardsByWord = once(() => new Map(wordlist.map((word, index) => [word, shardOfWordAt(index)])));

/** Returns the words with which a shard's phrases begin. @throws RangeError for a name beyond MAX_SHARDS */
export function firstWordsOf(shard: ShardName): readonly string[] {
  const words = wordsByShard().get(shard);
  if (words === undefined) throw new RangeError(`there are no first words for ${shard}`);
  return words;
}

/** Draws a phrase for a customer of this shard. */
export function drawPhrase(shard: ShardName, random: () => number): string {
  return createPhrase(random, firstWordsOf(shard));
}

/** @param phrase as it is stored. @returns the shard that may have given it out; undefined if none can have */
export function shardOfPhrase(phrase: string): ShardName | undefined {
  return shardsByWord().get(phrase.slice(0, phrase.indexOf('-')));
}
