// Where the scanner says that the parts of a message lie, and what becomes of its bytes.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanEnvelope, type Envelope, type Span } from '../../src/protocol/envelope.ts';
import { sampleMessage, type SampleMessage } from './arbitrary-message.ts';

function scan(text: string): Envelope {
  const result = scanEnvelope(Buffer.from(text));
  if (result.kind !== 'message') throw new Error(`${JSON.stringify(result)}: ${text}`);
  return result.message;
}

/** What a message on one line must look like: JSON has line breaks between tokens alone, so none may go missing. */
function onOneLine(text: string): string {
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '').replaceAll(/[\r\n]/g, ' ');
}

function expectFound(message: Envelope, sample: SampleMessage): void {
  expect(message.kind).toBe(sample.kind);
  expect(message.method).toBe(sample.method);
  expect(message.isError).toBe('error' in sample.parts);
  expect(message.id === null ? undefined : message.text(message.id)).toBe(sample.id);
  const found = Object.entries(message.spans).filter(
    (entry): entry is [string, Span] => entry[1] !== undefined,
  );
  // A value on several lines comes out on one, here as in the message.
  const expected = Object.entries(sample.parts).map(([name, text]) => [
    name,
    text.replaceAll(/[\r\n]/g, ' '),
  ]);
  expect(Object.fromEntries(found.map(([name, span]) => [name, message.text(span)]))).toEqual(
    Object.fromEntries(expected),
  );
}

describe('BR4 spans', () => {
  test('point at exactly the raw text of each member, at its own level and nowhere else', () => {
    fc.assert(
      fc.property(sampleMessage, (sample) => expectFound(scan(sample.text), sample)),
      { numRuns: 1000 },
    );
  });

  test('point into each message of a batch', () => {
    fc.assert(
      fc.property(fc.array(sampleMessage, { minLength: 1, maxLength: 4 }), (samples) => {
        const result = scanEnvelope(Buffer.from(` [${samples.map(({ text }) => text).join(',')}]\n`));
        if (result.kind !== 'batch') throw new Error(result.kind);
        expect(result.elements).toHaveLength(samples.length);
        for (const [i, element] of result.elements.entries()) {
          if (element.kind !== 'message') throw new Error(element.kind);
          const sample = samples[i] as SampleMessage;
          expect(element.message.bytes.toString()).toBe(onOneLine(sample.text));
          expectFound(element.message, sample);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('find names that are written with escapes, as JSON.parse would', () => {
    const message = scan(
      '{"\\u006asonrpc":"2.0","\\u0069d":7,"meth\\u006Fd":"m","\\u0070arams":{"\\u005fmeta":{"progress\\u0054oken":"t"}}}',
    );
    expect(message.method).toBe('m');
    expect(message.text(message.id!)).toBe('7');
    expect(message.text(message.spans.metaProgressToken!)).toBe('"t"');
  });

  test('count bytes, not characters', () => {
    const message = scan('{"é😀":"ü","jsonrpc":"2.0","id":"ö","method":"m","params":{"x":"😀","name":"ñ"}}');
    expect(message.text(message.id!)).toBe('"ö"');
    expect(message.text(message.spans.name!)).toBe('"ñ"');
  });
});

describe('BR4 bytes', () => {
  test('of a message stay as they are, but for line breaks between tokens and white space around it', () => {
    fc.assert(
      fc.property(sampleMessage, ({ text }) => {
        expect(scan(text).bytes.toString()).toBe(onOneLine(text));
      }),
      { numRuns: 500 },
    );
  });

  test('of a pretty-printed message come out on one line and mean the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('\t', '  '), fc.boolean(), (value, indent, isDos) => {
        const source = { jsonrpc: '2.0', id: 1, result: value };
        const pretty = JSON.stringify(source, undefined, indent);
        const { bytes } = scan(isDos ? pretty.replaceAll('\n', '\r\n') : pretty);
        expect(bytes.includes('\n') || bytes.includes('\r')).toBe(false);
        expect(JSON.parse(bytes.toString())).toEqual(JSON.parse(pretty));
      }),
      { numRuns: 500 },
    );
  });

  test('of the source are not touched, because their owner may still need them', () => {
    const source = Buffer.from(' {"jsonrpc":"2.0",\r\n"method":"m"} ');
    const before = Buffer.from(source);
    expect(scanEnvelope(source).kind).toBe('message');
    expect(source).toEqual(before);
  });

  test.each(['1.50', '12345678901234567890', '-0', '1e400', '0.1000000000000000055511151231257827'])(
    'keep the number %s as it is written',
    (number) => {
      const text = `{"b":1,"jsonrpc":"2.0","a":[${number}],"method":"m","params":{"z":${number},"a":2}}`;
      expect(scan(text).bytes.toString()).toBe(text);
    },
  );
});
