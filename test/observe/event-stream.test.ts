// GET /events: server-sent events at the reader's own pace.
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { streamEvents } from '../../src/observe/event-stream.ts';
import { EventHub } from '../../src/observe/hub.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { answered, c1 } from './telling.ts';

function begin(limit?: number, highWaterMark?: number) {
  const clock = new FakeClock();
  const hub = new EventHub(clock.wallTime.bind(clock));
  const output = new PassThrough({ highWaterMark });
  const dropped: number[] = [];
  const done = streamEvents(output, {
    hub,
    clock,
    ...(limit !== undefined && { limit }),
    onDropped: (count) => void dropped.push(count),
  });
  const read = (): string => {
    let text = '';
    for (;;) {
      const chunk = output.read() as Buffer | null;
      if (chunk === null) return text;
      text += chunk.toString();
    }
  };
  return { clock, hub, output, done, dropped, read };
}

test('ST2 an event is written with its type, its time and its labels', async () => {
  const { hub, read } = begin();
  hub.observerFor(c1)(answered(5));
  await settle();
  const [, block = ''] = read().split('\n\n');
  const [event, data = ''] = block.split('\n');
  expect(event).toBe('event: request.settled');
  expect(JSON.parse(data.replace(/^data: /, ''))).toEqual({
    at: '2026-01-01T00:00:00.000Z',
    ...c1,
    ...answered(5),
  });
});

test('a word now and then shows that the stream is alive', async () => {
  const { clock, read } = begin();
  read();
  await clock.advance(15_000);
  expect(read()).toBe(': here\n\n');
});

test('SC4 a reader that hangs loses events and is told how many, and costs no more', async () => {
  const { hub, output, dropped, read } = begin(10, 64);
  const observer = hub.observerFor(c1);
  for (let n = 0; n < 100; n += 1) observer(answered(n));
  await settle();
  expect(output.readableLength).toBeLessThan(5000);
  for (let n = 0; n < 100; n += 1) observer(answered(n));
  let text = '';
  for (let n = 0; n < 5; n += 1) {
    text += read();
    await settle();
  }
  const lost = dropped.reduce((sum, count) => sum + count, 0);
  expect(text.match(/^event: request.settled$/gm)).toHaveLength(200 - lost);
  expect(lost).toBeGreaterThan(100);
  expect(text).toContain('event: dropped\ndata: {"count":');
});

test('a reader that has gone leaves nothing behind', async () => {
  const { clock, hub, output, done } = begin();
  output.destroy();
  await done;
  expect(hub.subscribers).toBe(0);
  await settle();
  expect(clock.pendingTimers).toBe(0);
});

test('a reader that goes while it is behind leaves nothing behind either', async () => {
  const { clock, hub, output, done } = begin(1000, 64);
  for (let n = 0; n < 100; n += 1) hub.observerFor(c1)(answered(n));
  await settle();
  output.destroy();
  await done;
  expect([hub.subscribers, clock.pendingTimers]).toEqual([0, 0]);
});
