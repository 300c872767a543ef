/** Rules that every text from outside must pass, as checks of a schema. */
import * as z from 'zod/mini';
import { isSafeText } from './text.ts';

export type TextRule = z.core.$ZodCheck<string>;

export const tooLong = (maxCharacters: number | '#') => `must be at most ${maxCharacters} characters long`;
/** Checks stop at a text that is too long: one fault per field keeps responses small. */
export const maxCharactersRule = (maxCharacters: number) =>
  z.maxLength(maxCharacters, { error: tooLong(maxCharacters), abort: true });

export const UNSAFE =
  'must not contain control characters, text-direction overrides, broken Unicode or more than 30 combining marks in a row';
export const safeText = z.refine<string>(isSafeText, { error: UNSAFE, abort: true });
