// Messages in pieces: they must be read, edited and written just as the same bytes in one buffer.
import { isUtf8 } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  gather,
  scanEnvelope,
  sizeOf,
  stringAt,
  textOf,
  type Envelope,
  type ScanResult,
} from '../../src/protocol/envelope.ts';
import { skipString } from '../../src/protocol/json-scan.ts';
import { isPlain, LookAhead } from '../../src/protocol/look-ahead.ts';
import { layOut } from '../../src/protocol/long-text.ts';
import { splice, spliceToWrite, withId, type Edit } from '../../src/protocol/splice.ts';
import { cut, cuts } from '../support/chunks.ts';
import { sampleMessage } from './arbitrary-message.ts';

/** A message with so much text in it that it counts as long. */
const longMessage = fc
  .tuple(sampleMessage, fc.constantFrom('x', 'é', '\\"', '\\\\', '😀\\u00e9', ' '), fc.boolean())
  .map(([{ text }, filling, isFirst]) => {
    const bare = text.trim().replaceAll(/[\r\n]/g, ' ');
    const member = `"filling":"${filling.repeat(40_000 / filling.length)}"`;
    return isFirst ? bare.replace(/^\{/, `{${member},`) : bare.replace(/\}$/, `,${member}}`);
  });

/** All that can be asked of what was scanned. */
function tell(scan: ScanResult): unknown {
  if (scan.kind === 'batch') return scan.elements.map(tell);
  if (scan.kind !== 'message') return scan;
  const { message } = scan;
  const spans = Object.entries({ id: message.id ?? undefined, ...message.spans });
  return {
    ...facts(message),
    parts: spans.flatMap(([name, span]) =>
      span ? [[name, span, message.text(span), message.wholeNumber(span), stringAt(message, span)]] : [],
    ),
    content: textOf(message.content),
    bytes: message.bytes.toString('hex'),
  };
}

function facts({ kind, method, isError, byteLength }: Envelope): object {
  return { kind, method, isError, byteLength };
}

/** The pieces as a reader keeps them that looks at each as it comes, but for the last. */
function divided(pieces: readonly Buffer[]): Buffer[] {
  const ahead = new LookAhead();
  return pieces.flatMap((piece, n) => (n < pieces.length - 1 ? ahead.divide(piece, n === 0) : [piece]));
}

function expectSame(pieces: readonly Buffer[], bytes: Buffer): void {
  expect(tell(scanEnvelope(pieces))).toEqual(tell(scanEnvelope(bytes)));
}

describe('BR4 a message in pieces', () => {
  test('is read as it is in one buffer, wherever it is cut', () => {
    fc.assert(
      fc.property(sampleMessage, cuts, ({ text }, at) => {
        const bytes = Buffer.from(text);
        expectSame(cut(bytes, at), bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('is refused as it is in one buffer', () => {
    fc.assert(
      fc.property(sampleMessage, cuts, fc.nat(), fc.nat(255), ({ text }, at, where, byte) => {
        const bytes = Buffer.from(text);
        bytes[where % bytes.length] = byte;
        expectSame(cut(bytes, at), bytes);
      }),
      { numRuns: 1000 },
    );
  });

  test('is edited and written as it is in one buffer, when it is short and when it is long', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          longMessage,
          sampleMessage.map(({ text }) => text),
        ),
        cuts,
        (text, at) => {
          const bytes = Buffer.from(text);
          const [found, wanted] = [scanEnvelope(cut(bytes, at)), scanEnvelope(bytes)];
          if (found.kind !== 'message' || wanted.kind !== 'message') throw new Error(text.slice(0, 200));
          const { id } = wanted.message;
          const edits: Edit[] = id === null ? [] : [{ span: id, text: '12345' }];
          const token = wanted.message.spans.metaProgressToken;
          if (token !== undefined) edits.push({ span: token, text: '"t"' });
          expect(splice(found.message, edits).equals(splice(wanted.message, edits))).toBe(true);
          expect(textOf(withId(found.message, '"x"'))).toBe(textOf(withId(wanted.message, '"x"')));
          for (const longBytes of [0, 16_384, Infinity]) {
            const written = textOf(spliceToWrite(found.message, edits, longBytes));
            expect(written).toBe(textOf(splice(wanted.message, edits)));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is read as it is in one buffer when its pieces were looked at as they came', () => {
    const filling = fc.constantFrom(
      'x',
      'é',
      '\\"',
      '\\\\',
      '\\u00e9',
      '😀 ',
      ' ',
      '1,',
      '[],',
      '{}',
      '\u0001',
      '"',
      '\\',
    );
    const around = fc.constantFrom(
      ['{"jsonrpc":"2.0","id":7,"result":"', '"}'],
      [
        '{"jsonrpc":"2.0","method":"m","params":{"name":"n","a":["',
        '"],"_meta":{"progressToken":"t"}},"id":"i"}',
      ],
      ['{"jsonrpc":"2.0","id":7,"result":[', '1]}'],
      ['{"jsonrpc":"2.0","id":"', '","method":"m"}'],
      ['{"jsonrpc":"2.0","id":7,"method":"', '"}'],
      ['{"jsonrpc":"2.0","id":7,"', '":1,"method":"m"}'],
      ['{"jsonrpc":"2.0","id":7,"result":{"a":"\\', '"}}'],
      ['[{"jsonrpc":"2.0","id":7,"result":"', '"}]'],
    );
    const some = fc.array(fc.tuple(filling, fc.integer({ min: 1, max: 30_000 })), {
      minLength: 1,
      maxLength: 3,
    });
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
    fc.assert(
      fc.property(around, some, places, ([head, tail], middle, at) => {
        const bytes = Buffer.from(head + middle.map(([text, times]) => text.repeat(times)).join('') + tail);
        const pieces = cut(bytes, at);
        expectSame(divided(pieces), bytes);
      }),
      { numRuns: 300 },
    );
  });

  test('is not scanned again where its pieces were looked at as they came', () => {
    const piece = Buffer.alloc(1_000_000, 'It is \\"quoted\\". ');
    const pieces = [Buffer.from('{"jsonrpc":"2.0","id":1,"result":"'), piece, Buffer.from('"}')];
    const parts = divided(pieces);
    expect(layOut(parts, isPlain)?.bytes.length).toBeLessThan(50);
    const scan = scanEnvelope(parts);
    // Whoever looks at it now finds what would be refused: so nobody does.
    piece.fill('"');
    expect(scanEnvelope(parts)).toMatchObject({ kind: scan.kind });
  });

  test.each(['It is \\"quoted\\".\\n', '\\u00e9\\u4e2d', '文档，', 'é', '😀', '\\\\', 'plain'])(
    'is not scanned again wherever "%s" is cut, but for the cuts',
    (filling) => {
      const text = `{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"a \\"b\\"","c":"${filling.repeat(60_000 / filling.length)}"}}`;
      const bytes = Buffer.from(text);
      for (let n = 0; n < 12; n += 1) {
        const at = [8000 + n, 16_000 + 2 * n, 24_000 + 5 * n, bytes.length - 5000];
        const pieces = [0, ...at].map((from, i) => bytes.subarray(from, at[i]));
        const parts = divided(pieces);
        expect(Buffer.concat(parts).equals(bytes)).toBe(true);
        // The beginning, the last piece, and what was cut through.
        expect(layOut(parts, isPlain)!.bytes.length).toBeLessThan(5000 + 150);
        expectSame(parts, bytes);
      }
    },
  );

  test('has no piece left out that is not plain, however it is cut and whatever stands in it', () => {
    const filling = fc.constantFrom('x', '"a",', '\\n', '\\\\', '\\x', '\\u12', '文', '\u0001', '1,');
    const pieces = fc.array(fc.tuple(filling, fc.integer({ min: 1, max: 9000 }), fc.nat(5)), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(pieces, (drawn) => {
        const whole = drawn.map(([text, times, cutOff]) => Buffer.from(text.repeat(times)).subarray(cutOff));
        const parts = divided([...whole, Buffer.from('"}')]);
        expect(Buffer.concat(parts).equals(Buffer.concat([...whole, Buffer.from('"}')]))).toBe(true);
        for (const part of parts.filter(isPlain)) {
          expect(skipString(part, 0)).toBe(~part.length);
          expect(isUtf8(part)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
    // One that begins with an escape and has more short strings than are looked through, before one of another length.
    const odd = [
      Buffer.from(`\\"${'"a",'.repeat(9000)}`),
      Buffer.from(`${'x'.repeat(20_000)}"${'y'.repeat(5000)}`),
    ];
    const parts = divided([Buffer.from('{"a":"'), ...odd, Buffer.from('"}')]);
    for (const part of parts.filter(isPlain)) expect(skipString(part, 0)).toBe(~part.length);
  });

  test('is refused for the byte that stands for what was left out, where that stands in the text itself', () => {
    const pieces = ['{"jsonrpc":"2.0","id":1,"result":["', 'x'.repeat(50_000), '"," \u0001 "]}'].map((text) =>
      Buffer.from(text),
    );
    const parts = divided(pieces);
    expect(parts.some(isPlain)).toBe(true);
    expect(scanEnvelope(parts)).toMatchObject({ kind: 'not-json' });
  });

  test('keeps its own bytes when the next one is read', () => {
    const message = (letter: string): Buffer =>
      Buffer.from(`{"jsonrpc":"2.0","id":"${letter}","result":"${letter.repeat(50_000)}"}`);
    const scans = ['a', 'b'].map((letter) => scanEnvelope(cut(message(letter), [0.3, 0.6])));
    for (const [i, scan] of scans.entries()) {
      if (scan.kind !== 'message') throw new Error(scan.kind);
      const letter = ['a', 'b'][i] as string;
      expect(scan.message.text(scan.message.id!)).toBe(`"${letter}"`);
      expect(scan.message.bytes.equals(message(letter))).toBe(true);
    }
  });

  test('SC4 is laid out in memory up to a size, and put together beyond', () => {
    expect(layOut([Buffer.from('ab'), Buffer.from('c')])?.bytes.toString()).toBe('abc');
    const piece = Buffer.alloc(5_000_000, 'x');
    expect(layOut([piece, piece])).toBeUndefined();
    const text = [Buffer.from('{"jsonrpc":"2.0","id":1,"result":"'), piece, piece, Buffer.from('"}')];
    expect(scanEnvelope(text).kind).toBe('message');
  });
});

describe('pieces', () => {
  test('are put together while they are short', () => {
    const long = Buffer.alloc(20_000, 'x');
    expect(gather([Buffer.from('a'), Buffer.from('b')], 2)).toEqual(Buffer.from('ab'));
    expect(gather([long], long.length)).toBe(long);
    expect(gather([long, long], 40_000)).toEqual([long, long]);
    expect(gather([], 0)).toEqual(Buffer.alloc(0));
    expect(sizeOf([long, long])).toBe(40_000);
  });
});
