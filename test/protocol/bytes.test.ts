// The copying loops beside Node.js' own functions.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteLength, copyBytes, copyText } from '../../src/protocol/bytes.ts';

test('BR4 bytes of any number are copied to their place, and nothing beside it', () => {
  const bytes = fc.uint8Array({ maxLength: 1200 }).map((codes) => Buffer.from(codes));
  fc.assert(
    fc.property(bytes, fc.nat(1200), fc.nat(1200), fc.nat(20), (from, one, other, at) => {
      const [start, end] = [Math.min(one, other, from.length), Math.min(Math.max(one, other), from.length)];
      const to = Buffer.alloc(at + end - start + 5, 0xff);
      expect(copyBytes(from, start, end, to, at)).toBe(at + end - start);
      const expected = Buffer.alloc(to.length, 0xff);
      from.copy(expected, at, start, end);
      expect(to.equals(expected)).toBe(true);
    }),
  );
});

test('BR3 texts and whole numbers are written as UTF-8 and as digits', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.nat(),
    fc.integer({ min: 0, max: 1e15 - 1 }),
  );
  fc.assert(
    fc.property(text, fc.nat(9), (value, at) => {
      const wanted = Buffer.from(String(value));
      expect(byteLength(value)).toBe(wanted.length);
      const to = Buffer.alloc(at + wanted.length + 2, 0xff);
      expect(copyText(value, to, at)).toBe(at + wanted.length);
      expect(to.subarray(at, at + wanted.length).equals(wanted)).toBe(true);
      expect(
        [to.subarray(0, at), to.subarray(at + wanted.length)].every((rest) => rest.every((c) => c === 0xff)),
      ).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test.each([0, 9, 10, 99, 100, 999_999_999_999_999])('BR3 the number %d has all of its digits', (number) => {
  const to = Buffer.alloc(20);
  expect(to.toString('latin1', 0, copyText(number, to, 0))).toBe(String(number));
});
