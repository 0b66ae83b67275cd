// Bytes cut into pieces at random, because a stream may be cut anywhere.
import * as fc from 'fast-check';

/** Where to cut, as shares of the whole; many cuts lie close together, so that pieces of one byte are common. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }),
  // Every byte by itself.
  fc.constant(Array.from({ length: 4096 }, (_, i) => i / 4096)),
);

/** The bytes in pieces, none of them empty. */
export function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const positions = new Set(at.map((share) => Math.floor(share * bytes.length)));
  const ends = [...positions, bytes.length].filter((end) => end > 0).sort((a, b) => a - b);
  return [...new Set(ends)].map((end, i, all) => bytes.subarray(i === 0 ? 0 : all[i - 1], end));
}
