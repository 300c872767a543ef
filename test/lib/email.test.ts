/** One rule for email addresses in batches and lookups. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMAIL } from '../../src/lib/email.ts';

const long = (count: number) => 'a'.repeat(count);

it.each([
  'ada@example.com',
  'x@example.xn--p1ai',
  'x@xn--80ak6aa92e.xn--p1ai',
  'a&b@example.com',
  "o'neil+tag=1/2@example.co.uk",
  '!#$%&*/=?^_`{|}~-@example.com',
  'a@1.2.example.com',
  'a@b.co',
  'a.b.c@a-b.example.com',
  'ADA@EXAMPLE.COM',
  `${long(64)}@example.com`,
  `a@${long(63)}.com`,
])('%s is an email address', (email) => {
  expect(EMAIL.test(email)).toBe(true);
});

it.each([
  '',
  'nobody',
  '@example.com',
  'a@',
  'a@b',
  'a@foo-.com',
  'a@-foo.com',
  'a@foo.-com',
  'a@foo.com-',
  'a@foo..com',
  'a@.foo.com',
  'a@foo.com.',
  '.a@example.com',
  'a.@example.com',
  'a..b@example.com',
  'a b@example.com',
  'a@b@example.com',
  'a,b@example.com',
  'a@exam_ple.com',
  'a@example.c',
  'a@example.123',
  'a@127.0.0.1',
  'a@[127.0.0.1]',
  'a@example.xn--',
  'a@example.xn--p1ai-',
  '"a b"@example.com',
  'ä@example.com',
  'a@exämple.com',
  'a@example.com\n',
  `${long(65)}@example.com`,
  `a@${long(64)}.com`,
  `a@example.${long(64)}`,
])('%j is no email address', (email) => {
  expect(EMAIL.test(email)).toBe(false);
});

const LETTERS = /^[a-z]{2,63}$/i;
const LDH = /^[a-z0-9-]{1,63}$/i;

/** The same rule written a second time, in steps. */
function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const labels = text.slice(at + 1).split('.');
  const top = labels.at(-1) ?? '';
  const atoms = text.slice(0, at).split('.');
  return (
    at >= 1 &&
    at <= 64 &&
    atoms.every((atom) => /^[\w!#$%&'*+/=?^`{|}~-]+$/.test(atom)) &&
    labels.length >= 2 &&
    labels.every((label) => LDH.test(label) && !label.startsWith('-') && !label.endsWith('-')) &&
    (LETTERS.test(top) || /^xn--./i.test(top))
  );
}

describe('any text', () => {
  const piece = fc.constantFrom(
    'a',
    'B',
    '7',
    '-',
    '.',
    '@',
    '+',
    '_',
    'xn--',
    ' ',
    '\n',
    'é',
    'com',
    long(62),
  );

  it('is an email address exactly if its parts are valid', () => {
    const near = fc.tuple(
      fc.array(piece, { maxLength: 6 }),
      fc.array(piece, { maxLength: 6 }),
      fc.constantFrom('.com', '.xn--p1ai', '', '.c', '-.org'),
    );
    fc.assert(
      fc.property(near, ([local, domain, top]) => {
        const text = `${local.join('')}@${domain.join('')}${top}`;
        expect([text, EMAIL.test(text)]).toEqual([text, isAddress(text)]);
      }),
      { numRuns: 2_000 },
    );
  });
});
