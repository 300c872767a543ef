/** Queues as Cloudflare promises them: at least once and in any order. The simulation also loses messages. */

/** Fewer than in wrangler.toml, so that dead letters are common. */
const MAX_RETRIES = 2;

export interface QueuedMessage<Body> {
  body: Body;
  attempts: number;
  /** Earliest delivery, in milliseconds on the scheduler's clock. */
  notBefore: number;
}

export class QueueModel<Body> {
  waiting: QueuedMessage<Body>[] = [];
  deadLetters: QueuedMessage<Body>[] = [];
  /** Every pointer that was ever sent, for late repetitions. */
  readonly history: Body[] = [];
  /** Every message as text. */
  readonly sentTexts: string[] = [];

  /** @param notBefore earliest delivery */
  send(bodies: Body[], notBefore = 0): void {
    for (const body of bodies) {
      this.sentTexts.push(JSON.stringify(body));
      this.history.push(body);
      this.waiting.push({ body, attempts: 1, notBefore });
    }
  }

  /** Removes messages for a consumer. */
  take(pick: (message: QueuedMessage<Body>) => boolean): QueuedMessage<Body>[] {
    const taken = this.waiting.filter(pick);
    this.waiting = this.waiting.filter((message) => !taken.includes(message));
    return taken;
  }

  /** Queues a message again that was not acknowledged, or makes it a dead letter. */
  redeliver({ body, attempts }: QueuedMessage<Body>, notBefore: number): void {
    const message = { body, attempts: attempts + 1, notBefore };
    (message.attempts > MAX_RETRIES + 1 ? this.deadLetters : this.waiting).push(message);
  }
}
