// What a client has set at the service, and how a new session comes to know it.
import { describe, expect, test } from 'vitest';
import { SessionMemory } from '../../src/upstream/memory.ts';
import { restore } from '../../src/upstream/restore.ts';
import type { Envelope } from '../../src/protocol/envelope.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { Calling } from './calling.ts';
import { failed } from './fake-wire.ts';

const NEVER = new AbortController().signal;
const setLevel = (level: string): Envelope => requestOf(1, 'logging/setLevel', { level });
const subscribe = (uri: string): Envelope => requestOf(1, 'resources/subscribe', { uri });
const unsubscribe = (uri: string): Envelope => requestOf(1, 'resources/unsubscribe', { uri });

function memoryOf(...requests: readonly Envelope[]): SessionMemory {
  const memory = new SessionMemory();
  for (const request of requests) memory.note(request);
  return memory;
}

/** What would be sent to a new session, in words. */
function restored(memory: SessionMemory): string[] {
  return memory.toRestore().map(({ bytes }) => {
    const { method, params } = JSON.parse(bytes.toString()) as {
      method: string;
      params: { level?: string; uri?: string };
    };
    return `${method} ${params.level ?? params.uri ?? ''}`;
  });
}

describe('SE5 the memory of a session', () => {
  test('holds the last log level', () => {
    expect(restored(memoryOf(setLevel('debug'), setLevel('error')))).toEqual(['logging/setLevel error']);
  });

  test('holds each subscription once, until it is ended', () => {
    const memory = memoryOf(
      subscribe('file:///a'),
      subscribe('file:///b'),
      subscribe('file:///a'),
      unsubscribe('file:///b'),
      unsubscribe('file:///c'),
    );
    expect(restored(memory)).toEqual(['resources/subscribe file:///a']);
  });

  test('holds the log level before the subscriptions', () => {
    const memory = memoryOf(subscribe('file:///a'), setLevel('info'));
    expect(restored(memory)).toEqual(['logging/setLevel info', 'resources/subscribe file:///a']);
  });

  test('takes a URI for the same however it is escaped', () => {
    const memory = memoryOf(subscribe('file:///a'));
    memory.note(
      messageOf(
        '{"jsonrpc":"2.0","id":1,"method":"resources/unsubscribe","params":{"uri":"file:\\/\\/\\/\\u0061"}}',
      ),
    );
    expect(memory.hasSubscriptions).toBe(false);
  });

  test('holds nothing of other requests, nor of one that names no resource', () => {
    const memory = memoryOf(
      requestOf(1, 'tools/call', { name: 'x' }),
      requestOf(1, 'resources/read', { uri: 'file:///a' }),
      requestOf(1, 'resources/subscribe', {}),
    );
    expect(memory.toRestore()).toEqual([]);
    expect(memory.hasSubscriptions).toBe(false);
  });

  test('SE8 says whether a session has subscriptions, which would be lost with it', () => {
    const memory = memoryOf(setLevel('debug'));
    expect(memory.hasSubscriptions).toBe(false);
    memory.note(subscribe('file:///a'));
    expect(memory.hasSubscriptions).toBe(true);
  });

  test('SC4 is bounded', () => {
    const memory = new SessionMemory();
    for (let n = 0; n < 10_000; n += 1) memory.note(subscribe(`file:///${n}`));
    expect(memory.toRestore().length).toBeLessThanOrEqual(4096);
  });
});

describe('SE5 a new session', () => {
  function restoring(memory: SessionMemory, signal = NEVER) {
    const calling = new Calling();
    const { live, wire, clock, events } = calling;
    const state = { isDone: false };
    const observer = (event: (typeof events)[number]): void => void events.push(event);
    void restore(live, memory, clock, observer, signal).then(() => (state.isDone = true));
    return { live, wire, clock, events, state };
  }

  const full = memoryOf(setLevel('debug'), subscribe('file:///a'), subscribe('file:///b'));

  test('is told everything again, side by side, before it is used', async () => {
    const { wire, events, state } = restoring(full);
    expect(wire.exchanges.map(({ message }) => message.method)).toEqual([
      'logging/setLevel',
      'resources/subscribe',
      'resources/subscribe',
    ]);
    for (const exchange of wire.exchanges.slice(0, 2)) exchange.answer();
    await settle();
    expect(state.isDone).toBe(false);
    wire.at(2).answer();
    await settle();
    expect(state.isDone).toBe(true);
    expect(events).toEqual([{ type: 'session.restored', requests: 3, failed: 0 }]);
  });

  test('is used though some of it was refused, which is counted', async () => {
    const { wire, clock, events, state } = restoring(full);
    wire.at(0).answer();
    wire
      .at(1)
      .start()
      .deliver({ jsonrpc: '2.0', id: wire.at(1).message.id, error: { code: -32002, message: 'gone' } })
      .finish({ kind: 'ended', stream: undefined });
    const broke = failed('unknown', 'ERR_UPSTREAM_UNREACHABLE');
    wire.at(2).start().finish({ kind: 'broken', failed: broke, stream: undefined });
    await settle();
    expect(state.isDone).toBe(true);
    expect(events).toEqual([{ type: 'session.restored', requests: 3, failed: 2 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is used after five seconds, whatever is still without an answer', async () => {
    const { wire, clock, events, state } = restoring(full);
    for (const exchange of wire.exchanges.slice()) exchange.start();
    await clock.advance(4999);
    expect(state.isDone).toBe(false);
    await clock.advance(1);
    expect(state.isDone).toBe(true);
    expect(events).toEqual([{ type: 'session.restored', requests: 3, failed: 3 }]);
  });

  test('BR10 holds nobody back who wants to end', async () => {
    const closing = new AbortController();
    const { wire, state } = restoring(full, closing.signal);
    for (const exchange of wire.exchanges.slice()) exchange.start();
    closing.abort({ kind: 'shutdown' });
    await settle();
    expect(state.isDone).toBe(true);
  });

  test('is used at once where there is nothing to restore', async () => {
    const { wire, events, state } = restoring(new SessionMemory());
    await settle();
    expect([wire.exchanges.length, events.length, state.isDone]).toEqual([0, 0, true]);
  });
});
