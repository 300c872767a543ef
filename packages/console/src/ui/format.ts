/** Numbers and times as people read them. */

export const count = (value: number) => Math.round(value).toLocaleString('en');

export const counted = (value: number, one: string, many = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : many}`;

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const dayOf = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
/** Beyond it, a date says more than a number of days. */
const MAX_RELATIVE_DAYS = 7;

/** `3 minutes ago`, `yesterday`, or a date. @param iso a time in ISO 8601 */
export function inWords(iso: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1_000);
  if (Math.abs(seconds) > MAX_RELATIVE_DAYS * 86_400) return dayOf.format(Date.parse(iso));
  const [unit, length] = UNITS.find(([, unitSeconds]) => Math.abs(seconds) >= unitSeconds) ?? ['second', 1];
  return relative.format(Math.trunc(seconds / length), unit);
}

/** `2026-11-26 08:21:03 UTC`. */
export const exactly = (iso: string) => `${iso.slice(0, 19).replace('T', ' ')} UTC`;

/** `42 s` or `3 min`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 90 ? `${whole} s` : `${Math.ceil(whole / 60)} min`;
}

const dateTime = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
/** `Nov 26, 2026, 9:21 AM`, in the time zone of the reader. */
export const onDate = (milliseconds: number) => dateTime.format(milliseconds);
