/** The rule for email addresses, shared by batches and lookups. */

/** Longest email address (RFC 5321, 4.5.3.1.3: a path has 256 characters, of which two are angle brackets). */
export const MAX_EMAIL_CHARACTERS = 254;

/** RFC 5322 (3.2.3) atext: ASCII without dots, quotes and spaces. */
const ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
/** RFC 5321 (4.5.3.1.1): at most 64 characters before the @. Dots are between other characters, never two in a row. */
const LOCAL = `(?=.{1,64}@)${ATEXT}+(?:\\.${ATEXT}+)*`;
/** RFC 1035 (2.3.4): at most 63 letters, digits and hyphens, with a hyphen neither first nor last. */
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
/** Letters, or an internationalised domain in its DNS form (RFC 5890), such as `xn--p1ai`. Never only digits. */
const TOP_LABEL = '(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])';

/**
 * An email address whose domain has at least two labels. Matching takes linear time: only inside a label, whose length
 * is bounded, can two parts match the same character.
 */
export const EMAIL = new RegExp(`^${LOCAL}@(?:${LABEL}\\.)+${TOP_LABEL}$`);
