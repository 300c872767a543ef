/** Holds work back while it is closed. */
export class Gate {
  #opened: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;
  #isClosed = false;

  /** Resolves at once, or when the gate is opened. */
  passed(): Promise<void> {
    return this.#opened;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#opened = new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#isClosed = false;
    this.#open();
  }
}
