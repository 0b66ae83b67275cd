// What the scanner takes for JSON: exactly what JSON.parse takes, as long as the bytes are UTF-8.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanEnvelope } from '../../src/protocol/envelope.ts';
import { jsonText } from './arbitrary-json.ts';
import { messageText } from './arbitrary-message.ts';

/** undefined where the bytes are not UTF-8. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** By the judgement of JSON.parse. */
function isJson(bytes: Buffer): boolean {
  const text = decode(bytes);
  if (text === undefined) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function expectSameVerdict(bytes: Buffer): void {
  const accepts = scanEnvelope(bytes).kind !== 'not-json';
  if (accepts === isJson(bytes)) return;
  // Only here, because a message made for each of a hundred thousand cases would be most of the work.
  expect({ accepts, text: bytes.toString('latin1').slice(0, 200) }).toEqual({ accepts: isJson(bytes) });
}

type Mutation = readonly [kind: 'insert' | 'delete' | 'replace', where: number, byte: number];

/** One to three bytes inserted, deleted or replaced; often by bytes that mean something to JSON. */
const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.tuple(
    fc.constantFrom('insert', 'delete', 'replace'),
    fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    fc.oneof(
      fc.constantFrom(...Buffer.from('{}[]",:\\ \n\r\t-+.eE0159tfnu/\u0000\u001f\u007f')),
      fc.integer({ min: 0, max: 255 }),
    ),
  ),
  { minLength: 1, maxLength: 3 },
);

function mutate(text: string, changes: readonly Mutation[]): Buffer {
  const bytes = [...Buffer.from(text)];
  for (const [kind, where, byte] of changes) {
    const at = Math.floor(where * (bytes.length + (kind === 'insert' ? 1 : 0)));
    if (kind === 'insert') bytes.splice(at, 0, byte);
    else if (kind === 'delete') bytes.splice(at, 1);
    else bytes[at] = byte;
  }
  return Buffer.from(bytes);
}

describe('BR4 BR11 the scanner against JSON.parse', () => {
  test('takes any JSON, however it is written', () => {
    fc.assert(
      fc.property(fc.oneof(jsonText, messageText), (text) => {
        expect(scanEnvelope(Buffer.from(text)).kind).not.toBe('not-json');
      }),
      { numRuns: 1500 },
    );
  });

  test('judges JSON with a few bytes changed as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.oneof(jsonText, messageText), mutations, (text, changes) =>
        expectSameVerdict(mutate(text, changes)),
      ),
      { numRuns: 4000 },
    );
  });

  test('judges any bytes as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => expectSameVerdict(Buffer.from(bytes))),
      { numRuns: 2000 },
    );
  });

  test('judges every text of up to four tokens as JSON.parse does', () => {
    const tokens = [
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      '-',
      '0',
      '1',
      '.',
      'e',
      ' ',
      'null',
      'tru',
      '"a"',
    ];
    const visit = (text: string, depth: number): void => {
      expectSameVerdict(Buffer.from(text));
      if (depth < 4) for (const token of tokens) visit(text + token, depth + 1);
    };
    visit('', 0);
  });

  test('judges every text of up to seven tokens of an object as JSON.parse does', () => {
    const tokens = ['{', '}', '"a"', ':', ',', '1'];
    const visit = (text: string, depth: number): void => {
      expectSameVerdict(Buffer.from(text));
      if (depth < 6) for (const token of tokens) visit(text + token, depth + 1);
    };
    visit('{', 0);
  });

  test.each([
    ['nothing', ''],
    ['white space alone', ' \t\r\n'],
    ['a byte order mark', '\uFEFF{}'],
    ['white space that is not JSON', '\u00a0{}'],
    ['a vertical tab', '\v{}'],
    ['single quotes', "{'a':1}"],
    ['a name without quotes', '{a:1}'],
    ['a comment', '{"a":1/* one */}'],
    ['a comma at the end of an object', '{"a":1,}'],
    ['a comma at the end of an array', '[1,]'],
    ['a comma alone', '[,]'],
    ['no comma', '[1 2]'],
    ['no colon', '{"a" 1}'],
    ['no value', '{"a":}'],
    ['two colons', '{"a"::1}'],
    ['a number as a name', '{1:1}'],
    ['the wrong bracket', '{"a":[1}]'],
    ['an open object', '{"a":1'],
    ['an open string', '{"a'],
    ['an open escape', '"\\'],
    ['an unknown escape', '"\\x41"'],
    ['a short Unicode escape', '"\\u12"'],
    ['a Unicode escape that is no number', '"\\u12g4"'],
    ['a line break in a string', '"a\nb"'],
    ['a control character in a string', '"a\u0001b"'],
    ['a DEL in a string', '"a\u007fb"'],
    ['U+2028 in a string', '"a\u2028b"'],
    ['half a surrogate pair, escaped', '"\\ud800"'],
    ['a leading zero', '01'],
    ['a negative leading zero', '-01'],
    ['a plus', '+1'],
    ['a minus alone', '-'],
    ['no digit before the point', '.5'],
    ['no digit behind the point', '1.'],
    ['no digit in the exponent', '1e+'],
    ['a hexadecimal number', '0x1'],
    ['NaN', 'NaN'],
    ['Infinity', '-Infinity'],
    ['a literal in capitals', 'True'],
    ['a literal cut short', 'nul'],
    ['a literal with more behind it', 'nullx'],
    ['two values', '{}{}'],
    ['a value behind a batch', '[] 1'],
    ['a NUL at the end', '{}\u0000'],
  ])('judges %s as JSON.parse does', (_what, text) => {
    const bytes = Buffer.from(text);
    expect(scanEnvelope(bytes).kind !== 'not-json').toBe(isJson(bytes));
  });

  test('finds what is wrong in a long string, wherever it stands', () => {
    // Long strings are read in another way than short ones; its seams lie at 64 and 16,384 bytes.
    const unit = fc.constantFrom(
      '"',
      '\\',
      '\\"',
      '\\n',
      '\\u00e9',
      '\\u00g9',
      '\u0000',
      '\u001f',
      '\n',
      'é',
      '😀',
    );
    const near = (seam: number): fc.Arbitrary<number> => fc.integer({ min: seam - 8, max: seam + 8 });
    const length = fc.oneof(near(64), near(128), near(16_384), near(16_448), near(32_832));
    fc.assert(
      fc.property(length, unit, fc.nat(100), unit, (before, first, between, second) => {
        expectSameVerdict(
          Buffer.from(`{"a":"${'x'.repeat(before)}${first}${'y'.repeat(between)}${second}"}`),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('needs no stack for deep nesting', () => {
    const depth = 100_000;
    const arrays = '['.repeat(depth) + ']'.repeat(depth);
    const objects = `${'{"id":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const mixed = `${'[{"params":'.repeat(depth)}null${'}]'.repeat(depth)}`;
    for (const text of [arrays, objects, mixed]) {
      const message = `{"jsonrpc":"2.0","id":1,"method":"m","params":{"deep":${text}}}`;
      expect(scanEnvelope(Buffer.from(message)).kind).toBe('message');
      expect(scanEnvelope(Buffer.from(text)).kind).not.toBe('not-json');
      expect(scanEnvelope(Buffer.from(text.slice(0, -1))).kind).toBe('not-json');
      expect(scanEnvelope(Buffer.from(`${text}]`)).kind).toBe('not-json');
    }
  });
});

describe('BR11 bytes that are not UTF-8', () => {
  test.each([
    ['a lone continuation byte', [0x80]],
    ['a sequence cut short', [0xc3]],
    ['an overlong form', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a code point past the last', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that UTF-8 never has', [0xff]],
  ])('are refused: %s', (_what, bad) => {
    const bytes = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"m","params":{"x":"'),
      Buffer.from(bad),
      Buffer.from('"}}'),
    ]);
    expect(scanEnvelope(bytes)).toMatchObject({ kind: 'not-json', reason: expect.stringContaining('UTF-8') });
  });

  test('are refused wherever they stand in whatever JSON', () => {
    const bad = fc.constantFrom([0x80], [0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]);
    fc.assert(
      fc.property(jsonText, bad, fc.double({ min: 0, max: 1, noNaN: true }), (text, wrong, where) => {
        const bytes = Buffer.from(text);
        const at = Math.floor(where * bytes.length);
        const broken = Buffer.concat([bytes.subarray(0, at), Buffer.from(wrong), bytes.subarray(at)]);
        expect(decode(broken)).toBeUndefined();
        expect(scanEnvelope(broken).kind).toBe('not-json');
      }),
      { numRuns: 500 },
    );
  });
});
