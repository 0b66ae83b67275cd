// The service's requests of the client: under which id the client sees them, and where its answers go.
import { describe, expect, test } from 'vitest';
import { ServerRequests } from '../../src/bridge/server-requests.ts';
import type { MessageOrigin } from '../../src/upstream/call.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';

class FakeOrigin implements MessageOrigin {
  isOver = false;
  readonly sent: string[] = [];
  send(body: Buffer): Promise<void> {
    this.sent.push(body.toString());
    return Promise.resolve();
  }
}

const answer = (id: string): ReturnType<typeof messageOf> =>
  messageOf(`{"result":{"n":1.50},"jsonrpc":"2.0","id":${id}}`);
const idIn = (line: Buffer | undefined): string => {
  expect(line).toBeDefined();
  return JSON.stringify((JSON.parse(line!.toString()) as { id: unknown }).id);
};

describe('BR5 a request of the service', () => {
  test('reaches the client under an id of the bridge, and is otherwise as it was', () => {
    const table = new ServerRequests();
    const text = '{"jsonrpc":"2.0","method":"sampling/createMessage","id":"s-1","params":{"b":1.50,"a":2}}';
    const line = table.open(messageOf(text), new FakeOrigin());
    expect(line?.toString()).toBe(text.replace('"s-1"', idIn(line)));
  });

  test.each(['7', '0', '"s-1"', '"7"', '"\\u0061"', '12345678901234567890'])(
    'gets its answer under its own id: %s',
    (id) => {
      const table = new ServerRequests();
      const origin = new FakeOrigin();
      const line = table.open(messageOf(`{"jsonrpc":"2.0","method":"roots/list","id":${id}}`), origin);
      expect(table.answer(answer(idIn(line)))).toBe(true);
      expect(origin.sent).toEqual([`{"result":{"n":1.50},"jsonrpc":"2.0","id":${id}}`]);
    },
  );

  test('gets an error that the client answers with, too', () => {
    const table = new ServerRequests();
    const origin = new FakeOrigin();
    const id = idIn(table.open(requestOf(5, 'roots/list'), origin));
    table.answer(messageOf(`{"jsonrpc":"2.0","id":${id},"error":{"code":-1,"message":"no"}}`));
    expect(origin.sent).toEqual(['{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"no"}}']);
  });

  test('with the same id from two sessions: each session gets its own answer', () => {
    const table = new ServerRequests();
    const origins = [new FakeOrigin(), new FakeOrigin()] as const;
    const ids = origins.map((origin) => idIn(table.open(requestOf(1, 'roots/list'), origin)));
    expect(new Set(ids).size).toBe(2);
    table.answer(answer(ids[1]!));
    expect(origins.map(({ sent }) => sent.length)).toEqual([0, 1]);
    table.answer(answer(ids[0]!));
    expect(origins.map(({ sent }) => sent.length)).toEqual([1, 1]);
  });

  test('is answered once', () => {
    const table = new ServerRequests();
    const origin = new FakeOrigin();
    const id = idIn(table.open(requestOf(1, 'roots/list'), origin));
    expect(table.answer(answer(id))).toBe(true);
    expect(table.answer(answer(id))).toBe(false);
    expect(origin.sent).toHaveLength(1);
  });

  test.each(['99', '"1"', 'null'])('is not answered under an id that was never given: %s', (id) => {
    const table = new ServerRequests();
    const origin = new FakeOrigin();
    table.open(requestOf(1, 'roots/list'), origin);
    const stray = messageOf(`{"jsonrpc":"2.0","id":${id},"error":{"code":1,"message":""}}`);
    expect(table.answer(stray)).toBe(false);
    expect(origin.sent).toEqual([]);
  });

  test('is not answered when its session is over', () => {
    const table = new ServerRequests();
    const origin = new FakeOrigin();
    const id = idIn(table.open(requestOf(1, 'roots/list'), origin));
    origin.isOver = true;
    expect(table.answer(answer(id))).toBe(false);
    expect(origin.sent).toEqual([]);
  });
});

describe('BR6 a cancellation of the service', () => {
  const cancelled = (id: string): ReturnType<typeof messageOf> =>
    messageOf(
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"reason":"x","requestId":${id}}}`,
    );

  test('reaches the client under the id that the client knows, and no answer goes back', () => {
    const table = new ServerRequests();
    const origin = new FakeOrigin();
    table.open(requestOf('other', 'roots/list'), origin);
    const id = idIn(table.open(requestOf('s/1', 'roots/list'), origin));
    const line = table.cancel(cancelled('"s\\/1"'), origin);
    expect(line?.toString()).toBe(cancelled(id).bytes.toString());
    expect(table.answer(answer(id))).toBe(false);
  });

  test('does not touch a request that another session made under the same id', () => {
    const table = new ServerRequests();
    const [mine, theirs] = [new FakeOrigin(), new FakeOrigin()];
    const id = idIn(table.open(requestOf(1, 'roots/list'), mine));
    expect(table.cancel(cancelled('1'), theirs)).toBeUndefined();
    expect(table.answer(answer(id))).toBe(true);
  });

  test.each(['2', '"1"'])('of an unknown request goes nowhere: %s', (id) => {
    const table = new ServerRequests();
    const origin = new FakeOrigin();
    table.open(requestOf(1, 'roots/list'), origin);
    expect(table.cancel(cancelled(id), origin)).toBeUndefined();
  });

  test('that names no request goes nowhere', () => {
    const notification = messageOf('{"jsonrpc":"2.0","method":"notifications/cancelled"}');
    expect(new ServerRequests().cancel(notification, new FakeOrigin())).toBeUndefined();
  });
});

describe('SC4 requests of the service that nobody answers', () => {
  const openMany = (table: ServerRequests, origin: MessageOrigin): number => {
    let taken = 0;
    while (taken < 100_000 && table.open(requestOf(taken, 'roots/list'), origin) !== undefined) taken += 1;
    return taken;
  };

  test('are bounded', () => {
    const taken = openMany(new ServerRequests(), new FakeOrigin());
    expect(taken).toBeGreaterThanOrEqual(100);
    expect(taken).toBeLessThan(100_000);
  });

  test('make room again when they are answered or cancelled', () => {
    const table = new ServerRequests();
    const origin = new FakeOrigin();
    openMany(table, origin);
    expect(table.answer(answer('1'))).toBe(true);
    expect(table.open(requestOf('new', 'roots/list'), origin)).toBeDefined();
  });

  test('make room again when their session is over', () => {
    const table = new ServerRequests();
    const old = new FakeOrigin();
    openMany(table, old);
    old.isOver = true;
    expect(table.open(requestOf(1, 'roots/list'), new FakeOrigin())).toBeDefined();
  });
});
