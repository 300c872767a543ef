/** Cleaning text, and bounding its cost beforehand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText, foldLines, isBlank, isSafeText, normalise } from '../../src/lib/text.ts';

/** U+1F82 has four units when decomposed; no character has more. */
const widest = '\u1f82';
const marks = (count: number) => '\u0301\u0323'.repeat(count).slice(0, count);

describe('normalising', () => {
  it('accepts text of any legal length, however it is decomposed', () => {
    const composed = widest.repeat(100);
    const decomposed = composed.normalize('NFD');
    expect(decomposed).toHaveLength(400);
    expect(normalise(decomposed, 'NFC', 100)).toBe(composed);
    expect(cleanText(` ${decomposed}\n`, 100)).toBe(composed);
  });

  it('accepts any character of Unicode that is short enough when composed', () => {
    for (let point = 0; point <= 0x10_ffff; point += 1) {
      const character = String.fromCodePoint(point);
      const composed = character.normalize('NFC').length;
      const longest = Math.max(character.length, character.normalize('NFD').length);
      if (longest > 4 * composed) expect.fail(`U+${point.toString(16)} is ${longest} units, of ${composed}`);
    }
  });

  it('refuses text that is too long in every form', () => {
    expect(normalise('a'.repeat(401), 'NFC', 100)).toBeNull();
    expect(cleanText(`${'a'.repeat(400)}\u0301`, 100)).toHaveLength(401);
  });

  it('accepts 30 combining marks in a row and refuses 31, of any plane and in any place', () => {
    for (const mark of ['\u0301', '\u0f72', '\u{1d165}', '\u{10a0f}']) {
      for (const around of ['', 'a', '中', '\u{1f600}']) {
        const run = (count: number) => around + mark.repeat(count) + around;
        expect([mark, around, normalise(run(30), 'NFC', 500)]).toEqual([
          mark,
          around,
          run(30).normalize('NFC'),
        ]);
        expect([mark, around, normalise(run(31), 'NFC', 500)]).toEqual([mark, around, null]);
        expect([isSafeText(run(30)), isSafeText(run(31))]).toEqual([true, false]);
      }
    }
    expect(normalise(`a${marks(30)}b${marks(30)}`, 'NFC', 500)).not.toBeNull();
  });

  it('refuses no text for characters of any script that are not marks', () => {
    for (const character of ['中', '한', 'ж', '\u{1f600}', '\u{20000}', '\u{10fffd}']) {
      expect(normalise(character.repeat(60), 'NFC', 500)).toBe(character.repeat(60));
    }
  });
});

describe('folding lines', () => {
  it('replaces every line break and tab, with the spaces next to it, by one space', () => {
    for (const between of [
      '\n',
      '\r\n',
      '\t',
      ' \t ',
      '\u2028',
      '\u2029',
      '\x85',
      '\v',
      '\f',
      ' \n\u00a0\n',
    ]) {
      expect([between, foldLines(`12 Road,${between}Lagos`)]).toEqual([between, '12 Road, Lagos']);
    }
  });

  it('keeps spaces that are not next to a line break', () => {
    expect(foldLines('a  b\u00a0c \n d')).toBe('a  b\u00a0c d');
  });

  it('changes nothing the second time', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\t', '\r', '\x85', '\u2028', '\u00a0') });
    fc.assert(
      fc.property(text, (lines) => {
        const folded = foldLines(lines);
        expect(folded).not.toMatch(/[\t\n\v\f\r\x85\u2028\u2029]/);
        expect(foldLines(folded)).toBe(folded);
        expect(folded.replaceAll(/[\s\x85]/g, '')).toBe(lines.replaceAll(/[\s\x85]/g, ''));
      }),
    );
  });
});

it('millions of invisible characters are blank, and cause no error', () => {
  expect(isBlank('\u200b'.repeat(5_000_000))).toBe(true);
  expect(isBlank(`${' \u200b'.repeat(1_000_000)}.`)).toBe(false);
});
