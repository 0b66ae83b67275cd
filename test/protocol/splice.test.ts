import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Span } from '../../src/protocol/envelope.ts';
import { splice, type Edit } from '../../src/protocol/splice.ts';
import { messageOf } from '../support/envelopes.ts';
import { sampleMessage } from './arbitrary-message.ts';

const text =
  '{"jsonrpc":"2.0","id":1,"method":"m","params":{"n":1.50,"é":"ü","_meta":{"progressToken":"t"}}}';

describe('BR4 splice', () => {
  test('replaces a part by a longer, a shorter or an empty text', () => {
    const message = messageOf(text);
    for (const id of ['12345', '"ünï"', '']) {
      expect(splice(message, [{ span: message.id!, text: id }]).toString()).toBe(
        text.replace('"id":1', `"id":${id}`),
      );
    }
  });

  test('replaces several parts, in whatever order they are given', () => {
    const message = messageOf(text);
    const edits: Edit[] = [
      { span: message.spans.metaProgressToken!, text: '77' },
      { span: message.id!, text: '"long id"' },
    ];
    const expected = text.replace('"id":1', '"id":"long id"').replace('"t"', '77');
    expect(splice(message, edits).toString()).toBe(expected);
    expect(splice(message, edits.toReversed()).toString()).toBe(expected);
  });

  test('without edits makes a copy', () => {
    const message = messageOf(text);
    const copy = splice(message, []);
    expect(copy.equals(message.bytes)).toBe(true);
    copy.fill(0);
    expect(message.bytes.toString()).toBe(text);
  });

  test('leaves every byte outside of the spans as it is, whatever the message and the edits', () => {
    const replacement = fc.string({ unit: 'grapheme', maxLength: 8 });
    fc.assert(
      fc.property(sampleMessage, fc.infiniteStream(fc.tuple(fc.nat(), replacement)), (sample, random) => {
        const message = messageOf(sample.text);
        const { params: _params, result: _result, error: _error, ...leaves } = message.spans;
        const spans: Span[] = Object.values(leaves).filter((span) => span !== undefined);
        if (message.id !== null) spans.push(message.id);
        const edits = spans
          .map((span) => ({ span, random: random.next().value as [number, string] }))
          .filter(({ random: [order] }) => order % 3 > 0)
          .sort((a, b) => a.random[0] - b.random[0])
          .map(({ span, random: [, replaced] }) => ({ span, text: replaced }));
        // The slow way: from the back, so that no position moves before it is used.
        let expected = message.bytes.toString('latin1');
        for (const { span, text: by } of edits.toSorted((a, b) => b.span.start - a.span.start)) {
          const bytes = Buffer.from(by).toString('latin1');
          expected = expected.slice(0, span.start) + bytes + expected.slice(span.end);
        }
        expect(splice(message, edits).toString('latin1')).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});
