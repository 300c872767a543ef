/** Email addresses, as a batch and a lookup judge them alike. */

/** Characters of an address (RFC 5321, 4.5.3.1.3: 256 of a path, less its angle brackets). */
export const MAX_EMAIL_CHARACTERS = 254;

/** RFC 5322 (3.2.3) atext, and so without dots, quotes, spaces and anything but ASCII. */
const ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
/** RFC 5321 (4.5.3.1.1): what is before the @ has at most 64 characters. Dots stand between others, never two. */
const LOCAL = `(?=.{1,64}@)${ATEXT}+(?:\\.${ATEXT}+)*`;
/** RFC 1035 (2.3.4): at most 63 letters, digits and hyphens, a hyphen neither first nor last. */
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
/** Letters, or an internationalised domain as the DNS has it (RFC 5890), such as `xn--p1ai`. Never digits alone. */
const TOP_LABEL = '(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])';

/**
 * An address whose domain has two labels or more. Linear in the length of what it is given: no character can be taken
 * by two parts of it, but within a label, which is bounded.
 */
export const EMAIL = new RegExp(`^${LOCAL}@(?:${LABEL}\\.)+${TOP_LABEL}$`);
