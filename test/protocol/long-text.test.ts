// Long strings, of which the scanner reads many bytes at once, against JSON.parse.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { skipString } from '../../src/protocol/json-scan.ts';
import { skipLongText } from '../../src/protocol/long-text.ts';

/** What a string may be made of, and what ends or breaks one; a piece may lie across any boundary of the reader's. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.nat(2000).map((length) => 'x'.repeat(length)) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '\\n',
      '\\"',
      '\\\\',
      '\\\\\\"',
      '\\/\\b\\f\\r\\t',
      '\\u0000',
      '\\uD83D\\udE00',
    ),
  },
  { weight: 3, arbitrary: fc.constantFrom('é', '😀', '\u007f', ' ', '!', '#', '[', ']', '\u2028') },
);
const flaw = fc.constantFrom('"', '\n', '\u0000', '\u001f', '\\', '\\x', '\\u00g0', '\\u12', '\\');

/** What JSON.parse makes of the text between quotes: whether it is a string. */
function isString(text: string): boolean {
  try {
    JSON.parse(`"${text}"`);
    return true;
  } catch {
    return false;
  }
}

describe('BR4 BR11 a long string', () => {
  test('ends where it ends, however long it is and whatever is escaped in it', () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 80 }), fc.nat(40), (pieces, behind) => {
        const text = pieces.join('');
        const bytes = Buffer.from(`"${text}"${' '.repeat(behind)}`);
        expect(skipString(bytes, 1)).toBe(Buffer.byteLength(text) + 2);
      }),
      { numRuns: 300 },
    );
  });

  test('is refused where JSON.parse refuses it', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        flaw,
        fc.array(piece, { maxLength: 40 }),
        (head, bad, tail) => {
          const text = head.join('') + bad + tail.join('');
          const bytes = Buffer.from(`"${text}"`);
          expect(skipString(bytes, 1) === bytes.length).toBe(isString(text));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('is refused at every place where a byte can be wrong', () => {
    const good = Buffer.from('It is "quoted".\n'.repeat(200).replaceAll('"', '\\"').replaceAll('\n', '\\n'));
    for (let at = 0; at < good.length; at += 1) {
      const bytes = Buffer.concat([good, Buffer.from('"')]);
      bytes[at] = 0x1f;
      expect(~skipString(bytes, 0), `at ${at}`).toBeOneOf([at, at - 1]);
    }
  });

  test('is read to near its end at once, which is what makes it fast', () => {
    const bytes = Buffer.from(`${'plain text, \\"quoted\\" \\u00e9 '.repeat(10_000)}"`);
    expect(skipLongText(bytes, 0)).toBeGreaterThan(bytes.length - 1100);
  });
});
