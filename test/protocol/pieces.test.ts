import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { textOf } from '../../src/protocol/envelope.ts';
import { Pieces } from '../../src/protocol/pieces.ts';

test('SC4 what comes in pieces of any size is the same bytes in the end, and begins anew', () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.integer({ min: 4000, max: 9000 }).map((n) => 'y'.repeat(n)),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(piece), (first, second) => {
      const pieces = new Pieces();
      for (const texts of [first, second]) {
        for (const text of texts) pieces.add(Buffer.from(text));
        expect(pieces.size).toBe(Buffer.byteLength(texts.join('')));
        expect(textOf(pieces.take())).toBe(texts.join(''));
      }
    }),
  );
});

test('SC4 a million pieces of a byte become a few hundred', () => {
  const pieces = new Pieces();
  const byte = Buffer.from('x');
  for (let n = 0; n < 1e6; n += 1) pieces.add(byte);
  expect(pieces.clear().length).toBeLessThan(300);
});

test('BR11 a line end that was cut from the text before it is taken off again', () => {
  const pieces = new Pieces();
  for (const text of ['{}', 'ab', '\r']) pieces.add(Buffer.from(text));
  pieces.dropLastByte();
  expect(pieces.size).toBe(4);
  expect(textOf(pieces.take())).toBe('{}ab');
});
