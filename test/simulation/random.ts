/** A seed's source of everything that is left to random. */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** 0 <= n < 1 */
  next(): number {
    return (this.#generator.next() >>> 0) / 2 ** 32;
  }

  below(most: number): number {
    return Math.floor(this.next() * most);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }

  /** One of the choices, each with its weight as its share. */
  weighted<Choice>(choices: { weight: number; choice: Choice }[]): Choice {
    let rest = this.next() * choices.reduce((sum, { weight }) => sum + weight, 0);
    for (const { weight, choice } of choices) {
      rest -= weight;
      if (rest < 0) return choice;
    }
    return this.pick(choices).choice;
  }
}
