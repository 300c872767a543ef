/**
 * A move of a bank that is aborted, and one that is not, without any fault, while each isolate remembers where the bank was.
 * Nobody may notice more than changes that wait: no lookup fails, none is older than what was acknowledged before it, and a
 * change that had failed stays undone.
 */
import { ACCRA, API_KEYS } from '../support/banks.ts';
import type { Intent } from './clients.ts';
import type { World } from './world.ts';

type ReportViolation = (violation: string) => void;

/** Longer than an isolate remembers that the check of an API key had no answer. */
const AFTER_FAULTS_MS = 6_000;
/** Longer than a source keeps its rows after a move. */
const CLEANING_DELAY_MS = 6 * 60_000;

export class CalmMove {
  readonly #world: World;
  readonly #settle: () => Promise<void>;
  readonly #violate: ReportViolation;
  #apiKey = '';

  /** @param settle runs what has begun until nothing is left to do */
  constructor(world: World, settle: () => Promise<void>, violate: ReportViolation) {
    this.#world = world;
    this.#settle = settle;
    this.#violate = violate;
  }

  async play(): Promise<void> {
    const { moves, requests, isolates, scheduler } = this.#world;
    scheduler.now += AFTER_FAULTS_MS;
    const bank = await moves.pickBank();
    this.#apiKey = bank === ACCRA ? API_KEYS.other : API_KEYS.full;
    requests.isCalm = true;
    const [oldest, other] = await requests.customersOf(bank);
    if (oldest === undefined || other === undefined) return this.#violate('a batch was not applied');
    // If the bank moves back, it was erased while the bank was away.
    await this.#ask(0, { kind: 'erase', apiKey: this.#apiKey, about: oldest });
    for (const isolate of isolates) await this.#read(isolate, other);
    await this.#abort(bank, other);
    await this.#move(bank, other);
    await this.#read(0, oldest);
    requests.isCalm = false;
    this.#world.reachable = undefined;
    await this.#world.advanceMoves(CLEANING_DELAY_MS);
    await this.#settle();
  }

  /** A change whose connection is lost arrives when its move has been aborted, and the bank has gone on. */
  async #abort(bank: string, about: { id: string; phrase: string }): Promise<void> {
    this.#world.broken = 'd1 change';
    await this.#ask(0, { kind: 'update', apiKey: this.#apiKey, about });
    this.#world.broken = undefined;
    await this.#world.beginMove(bank);
    await this.#world.abortMove();
    await this.#world.advanceMoves(0);
    await this.#settle();
    await this.#update(0, about);
    await this.#world.arriveLate();
  }

  /** Each isolate finds out on its own that the bank has moved: by a change, or by a read. */
  async #move(bank: string, about: { id: string; phrase: string }): Promise<void> {
    await this.#world.beginMove(bank);
    await this.#world.advanceMoves(0);
    // While the move goes on.
    await this.#ask(
      0,
      { kind: 'update', apiKey: this.#apiKey, about },
      { kind: 'read', apiKey: this.#apiKey, about },
    );
    const [first = 0, second = 0, third = 0] = this.#world.isolates;
    await this.#update(first, about);
    await this.#read(second, about);
    await this.#update(third, about);
  }

  async #ask(isolate: number, ...intents: Intent[]): Promise<void> {
    this.#world.reachable = [isolate];
    this.#world.clients[0]?.intents.push(...intents);
    await this.#settle();
  }

  #read(isolate: number, about: { id: string }): Promise<void> {
    return this.#ask(isolate, { kind: 'read', apiKey: this.#apiKey, about });
  }

  async #update(isolate: number, about: { id: string; phrase: string }): Promise<void> {
    await this.#ask(isolate, { kind: 'update', apiKey: this.#apiKey, about });
    if (this.#world.requests.updates.at(-1)?.acknowledgedAt === undefined)
      this.#violate('a change failed without a fault');
  }
}
