/** The only source of randomness of a seed. */
import { SeededRandom } from '../../tools/lib/random.ts';

export class Random extends SeededRandom {
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('There is nothing to pick from.');
    return item;
  }

  /** Picks a choice with a probability in proportion to its weight. */
  weighted<Choice>(choices: { weight: number; choice: Choice }[]): Choice {
    let remainder = this.next() * choices.reduce((sum, { weight }) => sum + weight, 0);
    for (const { weight, choice } of choices) {
      remainder -= weight;
      if (remainder < 0) return choice;
    }
    return this.pick(choices).choice;
  }
}
