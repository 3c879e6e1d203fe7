/** Numbers in place of texts that are only compared. Pure. */

/** 53 bits: of a million texts, two are alike once in ten thousand audits, and then one is looked at more closely. */
export function hashOf(text: string): number {
  let high = 0x811c9dc5;
  let low = 0x2545f491;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high, 0x01000193) ^ unit;
    low = Math.imul(low ^ unit, 0x85ebca6b);
  }
  return (high >>> 0) * 0x20_0000 + (low >>> 11);
}
