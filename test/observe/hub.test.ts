// Events reach whoever subscribes, and no subscriber disturbs another.
import { describe, expect, test } from 'vitest';
import { EventQueue } from '../../src/observe/event-queue.ts';
import type { Observed, Observer } from '../../src/observe/events.ts';
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
  const hub = new EventHub(() => 0, { onFault: (error) => void faults.push(error) });
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
  const hub = new EventHub(() => 0, {
    onFault: () => {
      throw new Error('worse');
    },
  });
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

describe('ST5 a hub that may put off what is of no hurry', () => {
  function puttingOff(): { hub: EventHub; heard: string[]; due: (() => void)[]; observer: Observer } {
    const due: (() => void)[] = [];
    const hub = new EventHub(() => 0, { putOff: (flush) => void due.push(flush) });
    const heard: string[] = [];
    hub.subscribe(
      ({ event }) => void heard.push(event.type === 'request.settled' ? `${event.ms}` : event.type),
    );
    return { hub, heard, due, observer: hub.observerFor(work) };
  }

  test('tells of answered requests together, after a while', () => {
    const { heard, due, observer } = puttingOff();
    for (const ms of [1, 2, 3]) observer(answered(ms));
    expect(heard).toEqual([]);
    expect(due).toHaveLength(1);
    due[0]!();
    expect(heard).toEqual(['1', '2', '3']);
    observer(answered(4));
    expect(due).toHaveLength(2);
  });

  test('keeps the order: anything else brings along what was put off', () => {
    const { heard, observer } = puttingOff();
    observer(answered(1));
    observer({ type: 'bridge.closed', reason: 'over' });
    expect(heard).toEqual(['1', 'bridge.closed']);
    observer({
      type: 'request.settled',
      method: 'x',
      ms: 2,
      outcome: 'ERR_UPSTREAM_TIMEOUT',
      route: 'session',
    });
    expect(heard).toEqual(['1', 'bridge.closed', '2']);
  });

  test('holds a few hundred at most, and none back from who asks or comes and goes', () => {
    const { hub, heard, observer } = puttingOff();
    for (let ms = 0; ms < 1000; ms += 1) observer(answered(ms));
    expect(heard.length).toBeGreaterThan(700);
    hub.flush();
    expect(heard).toHaveLength(1000);
    observer(answered(1));
    const late: unknown[] = [];
    const leave = hub.subscribe((observed) => void late.push(observed));
    expect(heard).toHaveLength(1001);
    observer(answered(2));
    leave();
    expect(late).toHaveLength(1);
  });

  test('tells in order also of what a subscriber causes', () => {
    const { hub, heard, observer } = puttingOff();
    let isFirst = true;
    hub.subscribe(() => {
      if (isFirst) observer({ type: 'bridge.closed', reason: 'seen' });
      isFirst = false;
    });
    observer(answered(1));
    observer(answered(2));
    hub.flush();
    expect(heard).toEqual(['1', '2', 'bridge.closed']);
  });
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
