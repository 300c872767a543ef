/** Rules that every text from outside must pass, as checks of a schema. */
import * as z from 'zod/mini';
import { isSafeText } from './text.ts';

/** A rule for one text, as a check of a schema and as a plain function. */
export interface TextRule {
  check: z.core.$ZodCheck<string>;
  test: (text: string) => boolean;
}

/** @param error how to fix a text that does not pass */
export function textRule(test: (text: string) => boolean, error: string): TextRule {
  return { test, check: z.refine<string>(test, { error, abort: true }) };
}

export const checksOf = (rules: TextRule[]) => rules.map(({ check }) => check);

export const tooLong = (maxCharacters: number | '#') => `must be at most ${maxCharacters} characters long`;
/** Checks stop at a text that is too long: one fault per field keeps responses small. */
export const maxCharactersRule = (maxCharacters: number) =>
  z.maxLength(maxCharacters, { error: tooLong(maxCharacters), abort: true });

export const UNSAFE =
  'must not contain control characters, text-direction overrides, broken Unicode or more than 30 combining marks in a row';
export const safeText = z.refine<string>(isSafeText, { error: UNSAFE, abort: true });
