/**
 * Remembers a comparison until everything that follows from it is done: its files have their names, and its differences
 * are applied. So a command that was interrupted goes on from there, and does not take its own files for somebody's.
 */
import { closeSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { openPrivate, syncFolder, writeAndSync } from '../files/disk.ts';
import { CommandError } from '../reading/errors.ts';
import type { Comparison } from './compare.ts';

export interface ReconcileState {
  /** Version of this file. */
  reconcile: number;
  /** SHA-256 of the input's text. */
  input: string;
  origin: string;
  bankId: string;
  /** Which columns were taken for which fields. */
  map: string[];
  /** Will the differences be applied? */
  applying: boolean;
  comparison: Comparison;
}

export const STATE_VERSION = 1;

const statePath = (stem: string) => `${stem}.reconcile.json`;

/** @returns undefined if there is none, or one that was not written whole @throws CommandError for any other file */
export function readState(stem: string): ReconcileState | undefined {
  const path = statePath(stem);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  if (!text.startsWith('{"reconcile":'.slice(0, text.length))) {
    throw new CommandError(`${path} was not written by peere: move it away, because it is written there.`);
  }
  try {
    return JSON.parse(text) as ReconcileState;
  } catch {
    return undefined;
  }
}

export function writeState(stem: string, state: ReconcileState): void {
  const file = openPrivate(statePath(stem), 'w');
  writeAndSync(file, `${JSON.stringify(state)}\n`);
  closeSync(file);
  syncFolder(statePath(stem));
}

export function removeState(stem: string): void {
  rmSync(statePath(stem), { force: true });
}
