// Events reach whoever subscribes, and no subscriber disturbs another.
import { expect, test } from 'vitest';
import { EventQueue } from '../../src/observe/event-queue.ts';
import type { Observed } from '../../src/observe/events.ts';
import { EventHub } from '../../src/observe/hub.ts';
import { settle } from '../support/fake-clock.ts';
import { answered, c1, work } from './telling.ts';

test('ST5 an event carries the labels of its observer and the time', () => {
  const hub = new EventHub(() => 1234);
  const seen: Observed[] = [];
  hub.subscribe((observed) => void seen.push(observed));
  hub.observerFor(c1)(answered(5));
  expect(seen).toEqual([{ at: 1234, labels: c1, event: answered(5) }]);
});

test('ST5 a subscriber that throws is reported, and the others hear all the same', () => {
  const faults: unknown[] = [];
  const hub = new EventHub(
    () => 0,
    (error) => void faults.push(error),
  );
  const heard: string[] = [];
  hub.subscribe(() => {
    throw new Error('broken');
  });
  hub.subscribe(() => void heard.push('second'));
  const observer = hub.observerFor(work);
  observer(answered(1));
  observer(answered(1));
  expect(heard).toEqual(['second', 'second']);
  expect(faults).toHaveLength(2);
});

test('whoever reports faults may fail too', () => {
  const hub = new EventHub(
    () => 0,
    () => {
      throw new Error('worse');
    },
  );
  hub.subscribe(() => {
    throw new Error('broken');
  });
  expect(() => hub.observerFor(work)(answered(1))).not.toThrow();
});

test('a subscriber that leaves while an event is handed out hears no more, and the others miss nothing', () => {
  const hub = new EventHub(() => 0);
  const heard: string[] = [];
  const leave = hub.subscribe(() => {
    heard.push('first');
    leave();
  });
  hub.subscribe(() => void heard.push('second'));
  const observer = hub.observerFor(work);
  observer(answered(1));
  observer(answered(1));
  expect(heard).toEqual(['first', 'second', 'second']);
  expect(hub.subscribers).toBe(1);
});

test('SC4 a queue that nobody reads holds so many events, and counts the rest', async () => {
  const hub = new EventHub(() => 0);
  const queue = new EventQueue(hub, 3);
  for (let n = 0; n < 10; n += 1) hub.observerFor(work)(answered(n));
  const batch = await queue.next();
  expect(batch?.events.map(({ event }) => event)).toEqual([answered(0), answered(1), answered(2)]);
  expect(batch?.dropped).toBe(7);
});

test('a reader that waits gets what comes, in order, and nothing after the queue is closed', async () => {
  const hub = new EventHub(() => 0);
  const queue = new EventQueue(hub);
  const waiting = queue.next();
  hub.observerFor(work)(answered(1));
  hub.observerFor(work)(answered(2));
  expect((await waiting)?.events).toHaveLength(2);
  const last = queue.next();
  await settle();
  queue.close();
  expect(await last).toBeUndefined();
  expect(await queue.next()).toBeUndefined();
  expect(hub.subscribers).toBe(0);
});
