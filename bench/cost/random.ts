/** The randomness of a trace: the same seed gives the same trace and the same latencies for every policy. */
import { SeededRandom } from '../../tools/lib/random.ts';
import type { Range } from './parameters.ts';

export class Random extends SeededRandom {
  within([min, max]: Range): number {
    return min + this.next() * (max - min);
  }

  /** Of an exponential distribution, as the time between events that do not know of each other. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }
}

/** Draws ranks by Zipf's law: the nth is drawn in proportion to 1 / n^s. The table takes 8 MB for a million ranks. */
export class Zipf {
  readonly #cumulative: Float64Array;

  constructor(ranks: number, exponent: number) {
    this.#cumulative = new Float64Array(ranks);
    let sum = 0;
    for (let rank = 0; rank < ranks; rank += 1) {
      sum += (rank + 1) ** -exponent;
      this.#cumulative[rank] = sum;
    }
  }

  /** @returns a rank, from 0 */
  draw(random: Random): number {
    const point = random.next() * (this.#cumulative.at(-1) ?? 0);
    let [low, high] = [0, this.#cumulative.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulative[middle] ?? 0) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
