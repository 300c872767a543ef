/**
 * Changes of banks' data whose connection was lost before D1 had made them. Their statements may still be under way, and
 * arrive when the bank has moved, or was about to.
 */
interface LateWrite {
  bankId: string;
  /** By which its writer knew where the bank is. */
  moveNumber: number;
  work: () => Promise<unknown>;
}

export class LateWrites {
  #writes: LateWrite[] = [];
  readonly #openedBy: ReadonlyMap<string, number>;

  /** @param openedBy the number of the move by which each bank was opened last */
  constructor(openedBy: ReadonlyMap<string, number>) {
    this.#openedBy = openedBy;
  }

  /** @param values of all statements; those of the guard come first */
  add([bankId, moveNumber]: readonly unknown[], work: () => Promise<unknown>): void {
    this.#writes.push({ bankId: String(bankId), moveNumber: Number(moveNumber), work });
  }

  /** Those that are from before a move, and so must not be made any more. */
  get outdated(): LateWrite[] {
    return this.#writes.filter(({ bankId, moveNumber }) => moveNumber < (this.#openedBy.get(bankId) ?? 0));
  }

  /** The write arrives after all. One that a constraint refuses changes nothing either. */
  async arrive(write: LateWrite): Promise<void> {
    this.#writes = this.#writes.filter((other) => other !== write);
    await write.work().catch(() => undefined);
  }
}
