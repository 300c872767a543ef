/**
 * A 53-bit hash of a text, to recognise it again: cyrb53 (by bryc, public domain). Among a million different texts, two
 * have the same hash in one of 18,000 files. It is not cryptographic: anyone can construct two texts with one hash.
 * @returns a whole number from 0 to 2^53 - 1
 */
export function hashText(text: string): number {
  let one = 0xdeadbeef;
  let other = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 2_654_435_761);
    other = Math.imul(other ^ unit, 1_597_334_677);
  }
  one = Math.imul(one ^ (one >>> 16), 2_246_822_507) ^ Math.imul(other ^ (other >>> 13), 3_266_489_909);
  other = Math.imul(other ^ (other >>> 16), 2_246_822_507) ^ Math.imul(one ^ (one >>> 13), 3_266_489_909);
  return (other & 0x1f_ffff) * 2 ** 32 + (one >>> 0);
}
