/** The id of an event names its bank and its place in the bank's log: `evt_bnk_first_17`. */

export function eventId(bankId: string, sequence: number): string {
  return `evt_${bankId}_${sequence}`;
}

/** At most 15 digits: every such number is exact. */
const SEQUENCE = /^(0|[1-9]\d{0,14})$/;

/** @returns the sequence; undefined if this is no id of an event of this bank. 0 is the place in front of the first. */
export function sequenceOf(bankId: string, id: string): number | undefined {
  const prefix = eventId(bankId, 0).slice(0, -1);
  const digits = id.startsWith(prefix) ? id.slice(prefix.length) : '';
  return SEQUENCE.test(digits) ? Number(digits) : undefined;
}
