// Lines out of bytes that come in pieces of any size, and lines that are too long to keep.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineReader } from '../../src/bridge/line-reader.ts';
import { cut, cuts } from '../support/chunks.ts';

type Seen = { readonly line: string } | { readonly tooLong: number; readonly id: string | null };

/** What a reader says of these pieces, after the end of the stream too. */
function read(pieces: readonly Buffer[], maxBytes: number): Seen[] {
  const seen: Seen[] = [];
  const reader = new LineReader(maxBytes, {
    onLine: (line) =>
      seen.push({ line: (Buffer.isBuffer(line) ? line : Buffer.concat(line)).toString('latin1') }),
    onTooLong: (id, byteLength) => seen.push({ tooLong: byteLength, id }),
  });
  for (const piece of pieces) reader.feed(piece);
  reader.end();
  return seen;
}

/** What it should say, from the whole at once; ids aside. */
function expected(bytes: Buffer, maxBytes: number): object[] {
  return bytes
    .toString('latin1')
    .split('\n')
    .map((line) => (line.length > maxBytes ? { tooLong: line.length } : { line: line.replace(/\r$/, '') }))
    .filter((seen) => !('line' in seen) || !/^[ \t\r]*$/.test(seen.line));
}

const lineBytes = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0x0a, 0x0d, 0x20, 0x09, 0x22, 0x7b, 0x7d) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 255 }) },
  ),
  { maxLength: 120 },
);

describe('BR1 lines', () => {
  test('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(lineBytes, cuts, fc.integer({ min: 1, max: 40 }), (codes, at, maxBytes) => {
        const bytes = Buffer.from(codes);
        const seen = read(cut(bytes, at), maxBytes);
        expect(seen.map((each) => ('line' in each ? each : { tooLong: each.tooLong }))).toEqual(
          expected(bytes, maxBytes),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['a line feed', 'a\nb\n', ['a', 'b']],
    ['carriage return and line feed', 'a\r\nb\r\n', ['a', 'b']],
    ['the end of the stream', 'a\nb', ['a', 'b']],
    ['a carriage return at the end of the stream', 'a\nb\r', ['a', 'b']],
    ['nothing but one carriage return each', 'a\r\r\n', ['a\r']],
    ['blank lines, which are none', '\n \n\t\r\n\r\n a\n  ', [' a']],
    ['nothing', '', []],
  ])('end at %s', (_what, text, lines) => {
    expect(read([Buffer.from(text)], 100)).toEqual(lines.map((line) => ({ line })));
  });

  test('come in pieces where they are long, without the carriage return at their end', () => {
    fc.assert(
      fc.property(cuts, fc.constantFrom('\n', '\r\n'), (at, end) => {
        const lines = ['short', 'x'.repeat(40_000), `\r${'y'.repeat(33_000)}`, 'z'];
        const bytes = Buffer.from(lines.map((line) => line + end).join(''));
        expect(read(cut(bytes, at), 100_000)).toEqual(lines.map((line) => ({ line })));
      }),
      { numRuns: 100 },
    );
  });

  test('may be as long as the limit, and no longer', () => {
    expect(read([Buffer.from('12345\n')], 5)).toEqual([{ line: '12345' }]);
    expect(read([Buffer.from('123456\n')], 5)).toEqual([{ tooLong: 6, id: null }]);
  });
});

describe('BR11 a line that is too long', () => {
  test('does not disturb the lines around it', () => {
    expect(read([Buffer.from(`first\n${'x'.repeat(50)}\nlast\n`)], 10)).toEqual([
      { line: 'first' },
      { tooLong: 50, id: null },
      { line: 'last' },
    ]);
  });

  test('is told once, at its end, or at the end of the stream', () => {
    const reader: string[] = [];
    const lines = new LineReader(10, {
      onLine: () => reader.push('line'),
      onTooLong: () => reader.push('too long'),
    });
    for (let i = 0; i < 20; i += 1) lines.feed(Buffer.from('x'));
    expect(reader).toEqual([]);
    lines.end();
    lines.end();
    expect(reader).toEqual(['too long']);
  });

  test('BR13 gives the id of the request in it, however it is cut and wherever the id stands', () => {
    const padding = 'x'.repeat(40);
    const requests = [
      `{"jsonrpc":"2.0","id":"a\\"1","method":"m","params":"${padding}"}`,
      `{"jsonrpc":"2.0","method":"m","params":{"id":3,"x":["${padding}",{"id":4}]},"id":"a\\"1"}`,
      ` { "params" : [ "{\\"id\\":9," , "${padding}" ] , "id" : "a\\"1" , "method" : "m" } `,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...requests), cuts, (text, at) => {
        expect(read(cut(Buffer.from(`${text}\n`), at), 16)).toEqual([
          { tooLong: text.length, id: '"a\\"1"' },
        ]);
      }),
      { numRuns: 200 },
    );
  });

  test('SC4 is not kept', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const chunkBytes = 256 * 1024;
    const fed: WeakRef<ArrayBuffer>[] = [];
    let told = 0;
    const reader = new LineReader(chunkBytes, {
      onLine: () => {},
      onTooLong: (_id, length) => (told = length),
    });
    const feed = (): void => {
      const chunk = Buffer.alloc(chunkBytes, 'x');
      fed.push(new WeakRef(chunk.buffer));
      reader.feed(chunk);
    };
    for (let i = 0; i < 40; i += 1) feed();
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      collect();
      // The last one may still lie in a register.
      expect(fed.filter((chunk) => chunk.deref() !== undefined).length).toBeLessThanOrEqual(2);
      reader.end();
      expect(told).toBe(40 * chunkBytes);
    });
  });
});
