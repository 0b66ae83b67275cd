// Changing one value in a JSON text: every byte that is not concerned stays as it is, in any file.
import { applyEdits, modify, parse } from 'jsonc-parser';
import { array, assert, jsonValue, nat, option, pre, property, tuple, type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editText } from '../../src/config/edit-text.ts';
import { insertionIn } from '../support/insertion.ts';
import { space, stringText, valueText } from '../protocol/arbitrary-json.ts';

const ENTRY = { command: '/opt/node', args: ['/opt/mcp-bridge.js', 'run', 'work'] };
const PATH = ['mcpServers', 'work'];

/** Members as text, in any of the ways in which JSON may be written. */
const members = (but: string): Arbitrary<string[]> =>
  array(tuple(space, stringText, space, space, valueText, space), { maxLength: 4 }).map((found) =>
    found
      .filter(([, name]) => JSON.parse(name) !== but)
      .map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`),
  );

/** A client's file: any members, and among them a list of servers, or none. */
const anyText: Arbitrary<string> = tuple(
  members('mcpServers'),
  option(members('work')),
  tuple(space, space, space),
  nat(),
).map(([others, servers, [before, inside, behind], at]) => {
  const object = (list: readonly string[]): string => `{${list.length === 0 ? inside : list.join(',')}}`;
  const list = servers === null ? [] : [`"mcpServers":${before}${object(servers)}${behind}`];
  return `${before}${object(others.toSpliced(at % (others.length + 1), 0, ...list))}${behind}`;
});

describe('SU2 an edit', () => {
  test('puts an entry into any file, and every byte of the rest stays', () => {
    assert(
      property(anyText, (before) => {
        const values = JSON.parse(before) as Record<string, object>;
        const after = editText(before, PATH, ENTRY);
        expect(insertionIn(before, after)).toContain('"/opt/mcp-bridge.js"');
        const expected = { ...values, mcpServers: { ...values['mcpServers'], work: ENTRY } };
        expect(JSON.parse(after)).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('takes it out again, and the file is what it was', () => {
    assert(
      property(anyText, (before) => {
        const values = JSON.parse(before) as Record<string, object>;
        // An object without members may have had white space in it.
        pre(Object.keys(values['mcpServers'] ?? values).length > 0);
        const added = values['mcpServers'] === undefined ? ['mcpServers'] : PATH;
        expect(editText(editText(before, PATH, ENTRY), added, undefined)).toBe(before);
      }),
      { numRuns: 1000 },
    );
  });

  test('replaces a value, and nothing around it', () => {
    assert(
      property(anyText, jsonValue({ maxDepth: 2 }), (text, value) => {
        const before = editText(text, PATH, 'old-value-of-ours');
        const after = editText(before, PATH, value);
        const [head = '', tail = ''] = before.split('"old-value-of-ours"');
        expect(after.startsWith(head) && after.endsWith(tail)).toBe(true);
        expect(parse(after)).toEqual(parse(applyEdits(before, modify(before, PATH, value, {}))));
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, string, string]>([
    ['an empty file', '', '{\n  "a": {\n    "b": 1\n  }\n}\n'],
    ['an empty object', '{}', '{\n  "a": {\n    "b": 1\n  }\n}'],
    ['four spaces', '{\n    "x": 1\n}\n', '{\n    "x": 1,\n    "a": {\n        "b": 1\n    }\n}\n'],
    ['tabs and CRLF', '{\r\n\t"x": 1\r\n}', '{\r\n\t"x": 1,\r\n\t"a": {\r\n\t\t"b": 1\r\n\t}\r\n}'],
    ['one line', '{"x":1,"y":2}', '{"x":1,"y":2,"a":{"b":1}}'],
    ['one line with spaces', '{ "x": 1, "y": 2 }', '{ "x": 1, "y": 2, "a": {"b":1} }'],
    ['an empty list', '{\n  "a": {}\n}', '{\n  "a": {\n    "b": 1\n  }\n}'],
    ['a list on one line', '{\n  "a": {"x": [1, 2]}\n}', '{\n  "a": {"x": [1, 2],"b": 1}\n}'],
    ['a comment', '{\n  "x": 1 // one\n}', '{\n  "x": 1, // one\n  "a": {\n    "b": 1\n  }\n}'],
    [
      'a comma at the end',
      '{\n  "x": 1, /* one */\n}',
      '{\n  "x": 1, /* one */\n  "a": {\n    "b": 1\n  },\n}',
    ],
    ['nothing but a comment', '// mine', '// mine\n{\n  "a": {\n    "b": 1\n  }\n}\n'],
  ])('looks like the rest of the file: %s', (_what, before, after) => {
    expect(editText(before, ['a', 'b'], 1)).toBe(after);
  });

  test.each<[string, string, string]>([
    ['the first', '{"a":{"b":1, "c":2}}', '{"a":{"c":2}}'],
    ['the last', '{"a":{"c":2 , "b":1}}', '{"a":{"c":2}}'],
    ['one in the middle', '{"a":{"c":2,\n"b":1,\n"d":3}}', '{"a":{"c":2,\n"d":3}}'],
    ['the only one', '{"a":{\n  "b":1\n}}', '{"a":{}}'],
    [
      'one between comments',
      '{"a":{"c":2, // two\n"b":1, // one\n"d":3}}',
      '{"a":{"c":2, // two\n // one\n"d":3}}',
    ],
    ['the last, where a comma follows', '{"a":{"c":2,"b":1,}}', '{"a":{"c":2,}}'],
    ['one that is not there', '{"a":{"c":2}}', '{"a":{"c":2}}'],
  ])('takes out %s', (_what, before, after) => {
    expect(editText(before, ['a', 'b'], undefined)).toBe(after);
  });
});
