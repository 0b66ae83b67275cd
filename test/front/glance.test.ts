// What a front reads of a line, compared with what a full scan reads.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { glanceAtReply, keyOf, keyShown, readClientLine } from '../../src/front/glance.ts';
import { scanEnvelope } from '../../src/protocol/envelope.ts';

const line = (text: string): Buffer[] => [Buffer.from(`${text}\n`)];

describe('BR3 the id of a reply at a glance', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":7,"result":{}}', '7'],
    ['{"jsonrpc":"2.0","id":"a b","error":{"code":1,"message":"x"}}', '"a b"'],
    ['{"result":{"id":9},"jsonrpc":"2.0","id":-1}', '-1'],
    ['{"error":{"code":1,"message":"x"},"jsonrpc":"2.0","id":"x"}', '"x"'],
    ['{"jsonrpc":"2.0","id":7,"method":"ping"}', undefined],
    ['{"jsonrpc":"2.0","method":"notifications/progress","params":{"id":7}}', undefined],
    ['{"result":{"a":",\\"id\\":5}"},"id":6,"jsonrpc":"2.0"}', undefined],
    ['{"jsonrpc":"2.0","id":"\\u0061","result":{}}', undefined],
    ['#drain', undefined],
  ])('of %s is %s', (text, id) => {
    expect(glanceAtReply(line(text))).toBe(id);
  });

  test('is never another than the one that a scan finds', () => {
    const id = fc.oneof(fc.integer(), fc.string());
    const order = fc.shuffledSubarray(['jsonrpc', 'id', 'result'], { minLength: 3 });
    fc.assert(
      fc.property(id, order, fc.jsonValue(), fc.nat(300), (value, names, result, cut) => {
        const members: Record<string, unknown> = { jsonrpc: '2.0', id: value, result };
        const bytes = Buffer.from(
          `${JSON.stringify(Object.fromEntries(names.map((n) => [n, members[n]])))}\n`,
        );
        const at = Math.min(cut, bytes.length - 1);
        const pieces = at === 0 ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
        const glanced = glanceAtReply(pieces);
        const scan = scanEnvelope(bytes);
        const scanned = scan.kind === 'message' ? keyOf(scan.message) : 'no message';
        expect(glanced ?? scanned).toBe(scanned);
      }),
    );
  });
});

describe('BR3 the key of a request at a glance', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":7,"method":"ping"}', '7'],
    ['{"method":"ping","jsonrpc":"2.0","id":0}', '0'],
    ['{"jsonrpc":"2.0","id":"a b","method":"ping"}', '"a b"'],
    ['{"jsonrpc":"2.0","id":123456789012345678,"method":"ping"}', '123456789012345678'],
    ['{"method":"ping","params":{"id":7}}', undefined],
    ['{"jsonrpc":"2.0","id":7,"result":{}}', undefined],
    ['{"jsonrpc":"2.0","id":7.5,"method":"ping"}', undefined],
    ['{"method":"ping","jsonrpc":"2.0","id":1.5}', undefined],
    ['{"method":"ping"', undefined],
    ['', undefined],
  ])('of %s is %s', (text, key) => {
    expect(keyShown(line(text)[0]!)).toBe(key);
  });

  test('is never another than the one that a scan finds', () => {
    const id = fc.oneof(fc.integer(), fc.maxSafeNat(), fc.string());
    const order = fc.shuffledSubarray(['jsonrpc', 'id', 'method', 'params'], { minLength: 4 });
    fc.assert(
      fc.property(id, order, fc.jsonValue(), (value, names, inner) => {
        const members: Record<string, unknown> = {
          jsonrpc: '2.0',
          id: value,
          method: 'x',
          params: { inner },
        };
        const bytes = Buffer.from(
          `${JSON.stringify(Object.fromEntries(names.map((n) => [n, members[n]])))}\n`,
        );
        const scan = scanEnvelope(bytes);
        const scanned = scan.kind === 'message' ? keyOf(scan.message) : 'no message';
        expect(keyShown(bytes) ?? scanned).toBe(scanned);
      }),
    );
  });
});

describe('a line of the client’s', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}', { kind: 'request', key: '1', method: 'ping' }],
    ['   ', { kind: 'blank' }],
    ['hello', { kind: 'odd', asked: undefined }],
    ['{"jsonrpc":"1.0","id":4,"method":"x"}', { kind: 'odd', asked: { key: '4' } }],
    [
      '[{"jsonrpc":"2.0","id":1,"method":"a"}, {"jsonrpc":"2.0","id":2,"method":"b"}]',
      { kind: 'odd', asked: { key: '[1', batch: ['1', '2'] } },
    ],
    [
      '[{"jsonrpc":"2.0","method":"b"},{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":1,"result":{}}]',
      {
        kind: 'mixed',
        asked: { key: '[1', batch: ['1'] },
        line: line('[{"jsonrpc":"2.0","id":1,"method":"a"}]'),
        others: [{ kind: 'notification' }, { kind: 'response' }],
      },
    ],
    ['[{"jsonrpc":"2.0","method":"b"}]', { kind: 'mixed', asked: undefined }],
    ['[{"jsonrpc":"2.0","method":"b"},5]', { kind: 'odd', asked: undefined }],
    ['[]', { kind: 'odd', asked: undefined }],
    ['{"jsonrpc":"2.0","method":"notifications/initialized"}', { kind: 'notification' }],
    ['{"jsonrpc":"2.0","id":1,"result":{}}', { kind: 'response' }],
  ])('%s is read as %o', (text, expected) => {
    expect(readClientLine(line(text))).toMatchObject(expected);
  });

  test.each([
    (pad: string) => `{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"x":"${pad}"}}`,
    (pad: string) => `{"method":"tools/call","params":{"x":"${pad}"},"jsonrpc":"2.0","id":"big"}`,
    (pad: string) => `{"params":{"x":"${pad}"},"id":"big","method":"tools/call","jsonrpc":"2.0"}`,
  ])('a long one is read the same way, wherever its members stand (%#)', (make) => {
    const bytes = Buffer.from(`${make('x'.repeat(100_000))}\n`);
    const pieces = [bytes.subarray(0, 65_536), bytes.subarray(65_536)];
    expect(readClientLine(pieces)).toMatchObject({ kind: 'request', key: '"big"', method: 'tools/call' });
  });

  test.each(['initialize', 'resources/subscribe'])(
    'a long %s is read in full, to be told again',
    (method) => {
      const text = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{"x":"${'x'.repeat(20_000)}"}}`;
      expect(readClientLine(line(text))).toMatchObject({ kind: 'request', key: '1', message: { method } });
    },
  );
});
