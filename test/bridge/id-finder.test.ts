// The id of a request that is too long to be parsed, compared with what JSON.parse finds in it.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdFinder } from '../../src/bridge/id-finder.ts';
import { cut, cuts } from '../support/chunks.ts';
import { numberText, space, stringText, valueText } from '../protocol/arbitrary-json.ts';

function find(text: string, at: readonly number[] = []): string | null {
  const finder = new IdFinder();
  for (const piece of cut(Buffer.from(text), at)) finder.feed(piece);
  return finder.requestId;
}

/** By JSON.parse: the id of a request, as a value; undefined where it is no request or has none. */
function idOf(text: string): string | number | undefined {
  const value = JSON.parse(text) as Record<string, unknown> | null;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { id } = value;
  if (!Object.hasOwn(value, 'method') || !Object.hasOwn(value, 'id')) return undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

const otherName = stringText.filter((name) => !['id', 'method'].includes(String(JSON.parse(name))));
const member = fc.oneof(
  fc.tuple(fc.constant('"id"'), fc.oneof(numberText, stringText, valueText)),
  fc.tuple(fc.constant('"method"'), fc.oneof(stringText, valueText)),
  fc.tuple(fc.oneof(otherName, fc.constantFrom('"i"', '"ids"', '"methods"', '"params"')), valueText),
);
/** Objects in which `id` and `method` stand once, twice or not at all. */
const objectText = fc
  .array(fc.tuple(space, member, space, space), { maxLength: 5 })
  .map((members) => members.map(([a, [name, value], b, c]) => `${a}${name}${b}:${c}${value}${a}`).join(','))
  .map((members) => ` {${members}} `);

describe('BR11 BR13 the id of a long request', () => {
  test('is what JSON.parse would find, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.oneof({ weight: 9, arbitrary: objectText }, { weight: 1, arbitrary: valueText }),
        cuts,
        (text, at) => {
          const found = find(text, at);
          expect(found === null ? undefined : JSON.parse(found)).toEqual(idOf(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each(['0', '-1', '1.50', '12345678901234567890', '""', '"a b"', '"\\u00e9\\""', '"é😀"', '"id"'])(
    'comes out as it is written: %s',
    (id) => {
      expect(find(`{"id" : ${id} , "method":"m"}`)).toBe(id);
    },
  );

  test.each([
    ['a notification', '{"method":"m","params":{"id":1}}'],
    ['an answer', '{"id":1,"result":{"method":"m"}}'],
    ['a batch', '[{"id":1,"method":"m"}]'],
    ['a string', '"{\\"id\\":1,\\"method\\":1}"'],
    ['an id that is null', '{"id":null,"method":"m"}'],
    ['an id that is an object', '{"id":{"id":1},"method":"m"}'],
    ['a request that never ends before its id', '{"method":"m","params":{"a":[{"id":1}'],
    ['nothing', ''],
  ])('is none for %s', (_what, text) => {
    expect(find(text)).toBeNull();
  });

  test('is known as soon as it was read, though the rest makes no sense', () => {
    expect(find('{"method":"m","id":7,"params":{]]]')).toBe('7');
  });

  test('SC4 is not kept where it is unreasonably long itself', () => {
    const id = (length: number): string => `"${'i'.repeat(length)}"`;
    expect(find(`{"method":"m","id":${id(200)}}`)).toBe(id(200));
    expect(find(`{"method":"m","id":${id(300)}}`)).toBeNull();
  });

  test('is found where the names are written with escapes', () => {
    expect(find('{"\\u0069d":7,"meth\\u006fd":"m"}')).toBe('7');
  });
});
