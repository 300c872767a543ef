/** Customers that differ from their rows, in a file of their own until the rows are read again: there may be millions. */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { Customer } from '@peere/client';
import { openPrivate } from '../files/disk.ts';

/** A customer has a few kilobytes at most; a longer one is read in several steps. */
const READ_BYTES = 8_192;

export class Spill {
  readonly #path: string;
  readonly #writing: number;
  readonly #reading: number;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#writing = openPrivate(path, 'w');
    this.#reading = openSync(path, 'r');
  }

  /** @returns where it is */
  add(customer: Customer): number {
    const place = this.#bytes;
    const bytes = Buffer.from(`${JSON.stringify(customer)}\n`);
    for (let written = 0; written < bytes.length;) written += writeSync(this.#writing, bytes, written);
    this.#bytes += bytes.length;
    return place;
  }

  read(place: number): Customer {
    let bytes = Buffer.alloc(0);
    for (let end = -1; end < 0; end = bytes.indexOf('\n')) {
      const more = Buffer.alloc(READ_BYTES);
      const read = readSync(this.#reading, more, 0, READ_BYTES, place + bytes.length);
      if (read === 0) throw new Error(`${this.#path} was changed by another program.`);
      bytes = Buffer.concat([bytes, more.subarray(0, read)]);
    }
    return JSON.parse(bytes.toString('utf8', 0, bytes.indexOf('\n'))) as Customer;
  }

  remove(): void {
    closeSync(this.#writing);
    closeSync(this.#reading);
    rmSync(this.#path, { force: true });
  }
}
