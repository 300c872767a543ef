/** Seeded randomness: the same seed gives the same numbers. */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class SeededRandom {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** Returns a number from 0 to below 1. */
  next(): number {
    return (this.#generator.next() >>> 0) / 2 ** 32;
  }

  /** Returns a whole number from 0 to below `max`. */
  below(max: number): number {
    return Math.floor(this.next() * max);
  }

  /** Returns true with this probability. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }
}
