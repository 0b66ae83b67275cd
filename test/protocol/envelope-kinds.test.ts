// Which JSON the scanner takes for which kind of JSON-RPC message, and what it says of the rest.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idKey, scanEnvelope, stringAt } from '../../src/protocol/envelope.ts';
import { messageOf } from '../support/envelopes.ts';
import { escapeUnit, stringText } from './arbitrary-json.ts';

describe('BR1 a message is', () => {
  test.each([
    ['a request', 'request', '{"jsonrpc":"2.0","id":1,"method":"ping"}'],
    [
      'a request with parameters by position',
      'request',
      '{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}',
    ],
    ['a request with an empty method', 'request', '{"jsonrpc":"2.0","id":1,"method":""}'],
    ['a notification', 'notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}'],
    ['an answer', 'response', '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ['an answer that is null', 'response', '{"jsonrpc":"2.0","id":1,"result":null}'],
    ['an error', 'response', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}'],
    ['an error without an id', 'response', '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}'],
  ])('%s', (_what, kind, text) => {
    expect(scanEnvelope(Buffer.from(text))).toMatchObject({ kind: 'message', message: { kind } });
  });
});

describe('BR11 no message is', () => {
  test.each([
    ['a number', '7', null, true],
    ['a string', '"jsonrpc"', null, true],
    ['null', 'null', null, true],
    ['an empty object', '{}', null, true],
    ['one without "jsonrpc"', '{"id":1,"method":"m"}', '1', true],
    ['one of another version', '{"jsonrpc":"1.0","id":1,"method":"m"}', '1', true],
    ['one with a number for a version', '{"jsonrpc":2.0,"id":1,"method":"m"}', '1', true],
    ['one without method and id', '{"jsonrpc":"2.0","params":{}}', null, true],
    ['one with an id alone', '{"jsonrpc":"2.0","id":"a"}', '"a"', true],
    ['one whose method is no string', '{"jsonrpc":"2.0","id":-4,"method":5}', '-4', true],
    ['a request whose id is null', '{"jsonrpc":"2.0","id":null,"method":"m"}', null, true],
    ['a request whose id is an object', '{"jsonrpc":"2.0","id":{},"method":"m"}', null, true],
    ['a request whose id is true', '{"jsonrpc":"2.0","id":true,"method":"m"}', null, true],
    ['a request with a result', '{"jsonrpc":"2.0","id":1,"method":"m","result":1}', '1', true],
    ['a request with an error', '{"jsonrpc":"2.0","id":1,"method":"m","error":{}}', '1', true],
    ['an answer with result and error', '{"jsonrpc":"2.0","id":1,"result":1,"error":{}}', '1', false],
    ['an answer without an id', '{"jsonrpc":"2.0","result":1}', null, false],
    ['an answer whose id is null', '{"jsonrpc":"2.0","id":null,"result":1}', null, false],
    ['one with two ids', '{"jsonrpc":"2.0","id":1,"method":"m","id":1}', '1', true],
    ['one with two methods', '{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}', '1', true],
    ['one with two params', '{"jsonrpc":"2.0","id":1,"method":"m","params":{},"params":{}}', '1', true],
    [
      'one with a name twice',
      '{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":1,"n\\u0061me":2}}',
      '1',
      true,
    ],
  ])('%s', (_what, text, id, isRequest) => {
    const result = scanEnvelope(Buffer.from(text));
    expect(result).toEqual({ kind: 'invalid', id, isRequest, reason: expect.stringMatching(/./) });
  });

  test('a batch in a batch, and the others in it are read all the same', () => {
    const result = scanEnvelope(
      Buffer.from('[{"jsonrpc":"2.0","id":1,"method":"a"},[{"jsonrpc":"2.0","method":"b"}],5]'),
    );
    expect(result).toMatchObject({
      kind: 'batch',
      elements: [{ kind: 'message' }, { kind: 'invalid', id: null }, { kind: 'invalid', id: null }],
    });
  });

  test('a batch that is not JSON as a whole, whatever its first elements are', () => {
    expect(scanEnvelope(Buffer.from('[{"jsonrpc":"2.0","id":1,"method":"a"},{]')).kind).toBe('not-json');
  });

  test('an empty batch anything but an empty batch', () => {
    expect(scanEnvelope(Buffer.from(' [ ] '))).toEqual({ kind: 'batch', elements: [] });
  });
});

describe('BR3 ids', () => {
  test.each([
    '0',
    '1',
    '-1',
    '1.5',
    '12345678901234567890',
    '""',
    '"a"',
    '"0"',
    '"\\u0061\\n\\"\\\\"',
    '"é😀"',
  ])('keep type and text: %s', (id) => {
    const message = messageOf(`{"jsonrpc":"2.0","id": ${id} ,"method":"m"}`);
    expect(message.text(message.id!)).toBe(id);
  });

  test('that are the same string have the same key, however they are written', () => {
    const units = fc.array(
      fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }), fc.boolean()),
    );
    fc.assert(
      fc.property(units, (written) => {
        const plain = JSON.stringify(written.map(([unit]) => unit).join(''));
        const escaped = `"${written.map(([unit, isEscaped]) => (isEscaped ? escapeUnit(unit) : JSON.stringify(unit).slice(1, -1))).join('')}"`;
        expect(JSON.parse(escaped)).toBe(JSON.parse(plain));
        expect(idKey(escaped)).toBe(idKey(plain));
      }),
    );
  });

  test('that are different strings have different keys', () => {
    fc.assert(
      fc.property(stringText, stringText, (a, b) => {
        expect(idKey(a) === idKey(b)).toBe(JSON.parse(a) === JSON.parse(b));
      }),
    );
  });

  test.each([
    ['1', '"1"'],
    ['0', '-0'],
    ['"a"', '"A"'],
    ['""', '" "'],
  ])('differ: %s and %s', (a, b) => {
    expect(idKey(a)).not.toBe(idKey(b));
  });
});

describe('a part that is a string', () => {
  const request = messageOf('{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"t\\u00e9st","uri":7}}');

  test('is decoded', () => {
    expect(stringAt(request, request.spans.name)).toBe('tést');
  });

  test('is undefined where it is of another type or absent', () => {
    expect(stringAt(request, request.spans.uri)).toBeUndefined();
    expect(stringAt(request, request.spans.level)).toBeUndefined();
  });
});
