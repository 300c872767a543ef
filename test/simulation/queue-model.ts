/** Queues, as Cloudflare promises them and no better: at least once, in any order, now and then not at all. */
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';

/** Fewer than wrangler.toml has, so that letters die often. */
const RETRIES = 2;

export interface QueuedMessage {
  body: ChunkPointer;
  attempts: number;
  /** Not delivered before. */
  notBefore: number;
}

export class QueueModel {
  waiting: QueuedMessage[] = [];
  deadLetters: QueuedMessage[] = [];
  /** Every pointer that was ever sent, to deliver late once more. */
  readonly history: ChunkPointer[] = [];
  /** What went over the wire, as text. */
  readonly wire: string[] = [];

  send(bodies: ChunkPointer[]): void {
    for (const body of bodies) {
      this.wire.push(JSON.stringify(body));
      this.history.push(body);
      this.waiting.push({ body, attempts: 1, notBefore: 0 });
    }
  }

  /** Takes letters out for a consumer. */
  take(pick: (letter: QueuedMessage) => boolean): QueuedMessage[] {
    const taken = this.waiting.filter(pick);
    this.waiting = this.waiting.filter((letter) => !taken.includes(letter));
    return taken;
  }

  /** A letter that was not acknowledged comes again, or dies. */
  redeliver({ body, attempts }: QueuedMessage, notBefore: number): void {
    const letter = { body, attempts: attempts + 1, notBefore };
    (letter.attempts > RETRIES + 1 ? this.deadLetters : this.waiting).push(letter);
  }
}
