// Server-sent events out of bytes that come in pieces of any size.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventStream, EventTooLargeError, type ServerSentEvent } from '../../src/upstream/event-stream.ts';
import { textOf } from '../../src/protocol/envelope.ts';
import { cut, cuts } from '../support/chunks.ts';

interface Read {
  readonly events: { type: string; data: string }[];
  readonly lastEventId: string | undefined;
  readonly retryMs: number | undefined;
}

function read(pieces: readonly Buffer[], maxEventBytes = 100_000): Read {
  const events: { type: string; data: string }[] = [];
  const stream = new EventStream(maxEventBytes, ({ type, data }) => {
    events.push({ type, data: textOf(data) });
  });
  for (const piece of pieces) void stream.feed(piece);
  return { events, lastEventId: stream.lastEventId, retryMs: stream.retryMs };
}

/** The algorithm of the HTML standard (section 9.2.6), on the whole text at once. */
function reference(text: string): Read {
  const events: { type: string; data: string }[] = [];
  let [lastEventId, retryMs]: [string | undefined, number | undefined] = [undefined, undefined];
  let [data, type, id]: [string[], string, string | undefined] = [[], '', undefined];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  // What no line end follows is no line.
  for (const line of lines.slice(0, -1)) {
    if (line === '') {
      if (id !== undefined) lastEventId = id === '' ? undefined : id;
      if (data.length > 0) events.push({ type, data: data.join('\n') });
      [data, type, id] = [[], '', undefined];
      continue;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) as unknown as [string, string, string];
    if (name === 'data') data.push(value);
    if (name === 'event') type = value;
    if (name === 'id' && !value.includes('\0')) id = value;
    if (name === 'retry' && /^\d+$/.test(value)) retryMs = Number(value);
  }
  return { events, lastEventId, retryMs };
}

const lineText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '', 'data: {"a":1}', 'data:x', 'data', 'data:', 'data:  two') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'event: message',
      'event:',
      'event: endpoint',
      'id: 7',
      'id:',
      'id',
      'id: é😀',
      'id: a\0b',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ': comment',
      ':',
      'retry: 250',
      'retry: 1s',
      'retry:',
      'datax: 1',
      'dat',
      ' data: 1',
      'Data: 1',
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .string({ unit: 'grapheme', maxLength: 10 })
      .filter((text) => !/[\r\n]/.test(text))
      .map((text) => `data: ${text}`),
  },
);
const streamText = fc
  .tuple(
    fc.constantFrom('', '\uFEFF'),
    fc.array(fc.tuple(lineText, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 12 }),
    fc.constantFrom('', 'data: open', '\r', ': x'),
  )
  .map(([bom, lines, rest]) => bom + lines.map((line) => line.join('')).join('') + rest);

describe('BR8 an event stream', () => {
  test('is read as the standard says, however it is cut, with any line ends', () => {
    fc.assert(
      fc.property(streamText, cuts, (text, at) => {
        expect(read(cut(Buffer.from(text), at))).toEqual(reference(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('is read as the standard says where its lines are long', () => {
    const long = fc.constantFrom('x', 'é', 'a: b', ' ').map((filling) => filling.repeat(40_000));
    const line = fc
      .tuple(fc.constantFrom('data: ', 'data:', 'data', ': ', 'id: ', 'event: ', 'other: '), long)
      .map(([name, text]) => name + text);
    const lines = fc.array(fc.oneof(line, lineText), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        lines,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (all, end, at) => {
          const text = `${all.join(end)}${end}${end}`;
          expect(read(cut(Buffer.from(text), at), 1_000_000)).toEqual(reference(text));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('may be cut anywhere in a character', () => {
    const bytes = Buffer.from('id: ключ\ndata: {"text":"é ü 😀 𝄞"}\n\n');
    for (let i = 1; i < bytes.length; i += 1) {
      expect(read([bytes.subarray(0, i), bytes.subarray(i)])).toEqual({
        events: [{ type: '', data: '{"text":"é ü 😀 𝄞"}' }],
        lastEventId: 'ключ',
        retryMs: undefined,
      });
    }
  });

  test('hands bytes on that are no UTF-8, for the scanner to refuse', () => {
    const events: ServerSentEvent[] = [];
    const stream = new EventStream(1000, (event) => void events.push(event));
    void stream.feed(Buffer.concat([Buffer.from('data: '), Buffer.from([0xff, 0xc3]), Buffer.from('\n\n')]));
    expect(events.map(({ data }) => [...data])).toEqual([[0xff, 0xc3]]);
  });

  test('gives each event as soon as its end has come', () => {
    const seen: string[] = [];
    const stream = new EventStream(1000, ({ data }) => void seen.push(data.toString()));
    void stream.feed(Buffer.from('data: 1\n\ndata: 2\n'));
    expect(seen).toEqual(['1']);
    void stream.feed(Buffer.from('\n'));
    expect(seen).toEqual(['1', '2']);
  });

  test('keeps the last id through events without one, and forgets it on an empty one', () => {
    const stream = new EventStream(1000, () => {});
    void stream.feed(Buffer.from('id: a\ndata: 1\n\ndata: 2\n\n'));
    expect(stream.lastEventId).toBe('a');
    void stream.feed(Buffer.from('id\ndata: 3\n\n'));
    expect(stream.lastEventId).toBeUndefined();
  });

  test('takes the id of an event without data, as a service sends before it has an answer', () => {
    expect(read([Buffer.from('id: start\nretry: 20\n\n')])).toEqual({
      events: [],
      lastEventId: 'start',
      retryMs: 20,
    });
  });

  test('does not take the id of an event that was cut off: it has not been received', () => {
    expect(read([Buffer.from('id: 1\ndata: a\n\nid: 2\ndata: b\n')]).lastEventId).toBe('1');
  });
});

describe('BR9 the taker of events', () => {
  test('holds the stream back while it is behind', async () => {
    let release = (): void => {};
    const stream = new EventStream(1000, () => new Promise<void>((resolve) => (release = resolve)));
    const held = stream.feed(Buffer.from('data: 1\n\n'));
    expect(held).toBeInstanceOf(Promise);
    release();
    await held;
    expect(stream.feed(Buffer.from('data: 2\n'))).toBeUndefined();
  });

  test('holds it back until the last of several events in one piece is taken', async () => {
    const releases: (() => void)[] = [];
    const stream = new EventStream(1000, () => new Promise<void>((resolve) => releases.push(resolve)));
    let isFree = false;
    const held = Promise.resolve(stream.feed(Buffer.from('data: 1\n\ndata: 2\n\n'))).then(
      () => (isFree = true),
    );
    expect(releases).toHaveLength(2);
    releases[1]?.();
    await Promise.resolve();
    expect(isFree).toBe(false);
    releases[0]?.();
    await held;
    expect(isFree).toBe(true);
  });
});

describe('SC4 an event', () => {
  const maxBytes = 2000;
  /** What a line may hold besides its value. */
  const fieldBytes = 'data: '.length;

  test('up to the limit passes, however it is cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: maxBytes - fieldBytes }), cuts, (length, at) => {
        const data = 'x'.repeat(length);
        expect(read(cut(Buffer.from(`data: ${data}\n\n`), at), maxBytes).events).toEqual([
          { type: '', data },
        ]);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['a line that does not end', 'data: ', ''],
    ['lines of one event', '', 'data: '],
    ['an id', 'id: ', ''],
  ])('past the limit ends the stream: %s', (_what, first, each) => {
    const stream = new EventStream(maxBytes, () => {});
    const piece = Buffer.from(`${each}${'x'.repeat(100)}${each === '' ? '' : '\n'}`);
    const feedAll = (): void => {
      void stream.feed(Buffer.from(first));
      for (let i = 0; i < 100; i += 1) void stream.feed(piece);
    };
    expect(feedAll).toThrow(EventTooLargeError);
    expect(() => void stream.feed(Buffer.from('\n\ndata: 1\n\n'))).toThrow(Error);
  });

  test('is counted by itself, not with those before it', () => {
    const pieces = Array.from({ length: 50 }, () => Buffer.from(`data: ${'x'.repeat(1500)}\n\n`));
    expect(read(pieces, maxBytes).events).toHaveLength(50);
  });

  test('is not made of comments, which may go on for ever', () => {
    const pieces = Array.from({ length: 50 }, () => Buffer.from(`:${'x'.repeat(1500)}`));
    expect(read([...pieces, Buffer.from('\ndata: 1\n\n')], maxBytes).events).toEqual([
      { type: '', data: '1' },
    ]);
  });
});
