// Calls on one session: the numbers that they go under, and what finds its way back to whom.
import { describe, expect, test } from 'vitest';
import { messageOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { Calling, answerText, dropped } from './calling.ts';
import { FakeWire, failed } from './fake-wire.ts';

describe('BR3 BR4 a call', () => {
  test.each(['7', '"a"', '0', '-1', '1.50', '12345678901234567890'])(
    'goes under an id of the session, and is otherwise as it was: %s',
    (id) => {
      const { call, wire } = new Calling();
      const text = `{"params":{"b":1.50,"a":[]},"id":${id},"jsonrpc":"2.0","method":"m"}`;
      call(text);
      const sent = wire.at(0);
      expect(sent.text).toBe(text.replace(`"id":${id}`, `"id":${sent.message.id}`));
    },
  );

  test('has an id of its own, though the clients use one number', async () => {
    const { call, wire } = new Calling();
    const calls = [call('a'), call('b'), call('c')];
    expect(new Set(wire.exchanges.map(({ message }) => message.id)).size).toBe(3);
    // Answered in another order than asked.
    for (const i of [2, 0, 1]) wire.at(i).answer({ to: i });
    const outcomes = await Promise.all(calls.map(({ outcome }) => outcome));
    const texts = outcomes.map((outcome) =>
      outcome.kind === 'answered' ? outcome.message.bytes.toString() : '',
    );
    expect(texts.map((text) => (JSON.parse(text) as { result: unknown }).result)).toEqual([
      { to: 0 },
      { to: 1 },
      { to: 2 },
    ]);
  });

  test('is answered on whatever response its answer comes', async () => {
    const { call, wire } = new Calling();
    const [first, second] = [call('a'), call('b')];
    wire
      .at(0)
      .start()
      .deliver({ jsonrpc: '2.0', id: wire.at(1).message.id, result: {} });
    expect((await second.outcome).kind).toBe('answered');
    expect(first.seen).toBeUndefined();
    wire.at(0).answer();
    expect((await first.outcome).kind).toBe('answered');
  });

  test('BR12 fails where its own response answers another request', async () => {
    const { call, wire, events } = new Calling();
    const { outcome } = call('a');
    wire.at(0).start().deliver({ jsonrpc: '2.0', id: 999, result: {} });
    expect(await outcome).toMatchObject({ kind: 'failed', failure: { code: 'ERR_UPSTREAM_BAD_ANSWER' } });
    expect(dropped(events)).toBe(1);
  });

  test('is answered by an error without an id on its own response', async () => {
    const { call, wire } = new Calling();
    const { outcome } = call('a');
    wire.at(0).start().deliver('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}');
    expect(await outcome).toMatchObject({ kind: 'answered', message: { isError: true } });
  });

  test('BR13 has one outcome, whatever comes later', async () => {
    const { call, wire, events } = new Calling();
    const { outcome, client } = call('a');
    wire.at(0).answer({ first: true });
    wire.at(0).deliver({ jsonrpc: '2.0', id: wire.at(0).message.id, result: { first: false } });
    const answered = await outcome;
    expect(answerText(answered)).toContain('"first":true');
    await settle();
    wire.at(0).deliver({ jsonrpc: '2.0', id: wire.at(0).message.id, result: { first: false } });
    expect(dropped(events)).toBe(2);
    expect(client.received).toEqual([]);
  });

  test.each([
    ['refused', failed('refused', 'ERR_UPSTREAM_BUSY', { retryAfterMs: 5 })],
    ['refused', failed('refused', 'ERR_SESSION_LOST', { sessionLost: true })],
  ] as const)('hands on why it was %s', async (_what, status) => {
    const { call, wire } = new Calling();
    const { outcome } = call('a');
    wire.at(0).start().finish({ kind: 'refused', status, code: 503 });
    expect(await outcome).toEqual(status);
  });

  test('takes a JSON-RPC error under an HTTP error for its answer, but not where the session is gone or the service busy', async () => {
    const { call, wire } = new Calling();
    const message = messageOf('{"jsonrpc":"2.0","id":9,"error":{"code":-1,"message":"no"}}');
    const [first, second, third] = [call(), call(), call()];
    const forbidden = failed('refused', 'ERR_AUTH_FORBIDDEN');
    wire.at(0).finish({ kind: 'rpc-error', message, status: forbidden, code: 403 });
    expect(await first.outcome).toMatchObject({ kind: 'answered', message, httpStatus: 403 });
    const lost = failed('refused', 'ERR_SESSION_LOST', { sessionLost: true });
    wire.at(1).finish({ kind: 'rpc-error', message, status: lost, code: 404 });
    expect(await second.outcome).toEqual(lost);
    const busy = failed('refused', 'ERR_UPSTREAM_BUSY', { retryAfterMs: 5 });
    wire.at(2).finish({ kind: 'rpc-error', message, status: busy, code: 429 });
    expect(await third.outcome).toEqual(busy);
  });

  test('fails where the service takes it and says nothing', async () => {
    const { call, wire } = new Calling();
    for (const finish of [{ kind: 'accepted' }, { kind: 'ended', stream: undefined }] as const) {
      const { outcome } = call('a');
      wire.at(-1).start().finish(finish);
      expect(await outcome).toMatchObject({
        progress: 'unknown',
        failure: { code: 'ERR_UPSTREAM_NO_ANSWER' },
      });
    }
  });

  test('waits on where the transport brings answers on another stream', async () => {
    const { call, wire, live } = new Calling(new FakeWire(true));
    const running = call('a');
    wire.at(0).start().finish({ kind: 'accepted' });
    await settle();
    expect(running.seen).toBeUndefined();
    live.listenSink.deliver(messageOf({ jsonrpc: '2.0', id: wire.at(0).message.id, result: {} }));
    expect((await running.outcome).kind).toBe('answered');
  });
});

describe('BR7 progress', () => {
  const asking = (token: string): string =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":${token}},"name":"t"}}`;
  const progress = (token: unknown): object => ({
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: token, progress: 1 },
  });

  test.each(['"t"', '5', '0', '"\\u0061"'])(
    'goes under a token of the session, and returns under the own: %s',
    (token) => {
      const { call, wire } = new Calling();
      const { client } = call(asking(token));
      const sent = wire.at(0);
      expect(sent.message.params?.['_meta']).toEqual({ progressToken: sent.message.id });
      sent.start().deliver(progress(sent.message.id));
      expect(client.received).toEqual([
        JSON.stringify(progress(0)).replace('"progressToken":0', `"progressToken":${token}`),
      ]);
    },
  );

  test('reaches the call that it is about, on whatever stream it comes', () => {
    const { call, wire, live, outside } = new Calling();
    const clients = [call(asking('"a"')).client, call(asking('"a"')).client];
    live.listenSink.deliver(messageOf(progress(wire.at(1).message.id)));
    wire.at(1).deliver(progress(wire.at(0).message.id));
    expect(clients.map(({ received }) => received.length)).toEqual([1, 1]);
    expect(outside.received).toEqual([]);
  });

  test('never comes after the answer', async () => {
    const { call, wire, events } = new Calling();
    const { outcome, client } = call(asking('"a"'));
    wire.at(0).answer();
    wire.at(0).deliver(progress(wire.at(0).message.id));
    await outcome;
    wire.at(0).deliver(progress(wire.at(0).message.id));
    expect(client.received).toEqual([]);
    expect(dropped(events)).toBe(2);
  });

  test('that nobody asked for is dropped', () => {
    const { call, wire, events, outside } = new Calling();
    const { client } = call('tools/call');
    for (const token of [wire.at(0).message.id, 999, 'a', undefined]) wire.at(0).deliver(progress(token));
    expect([...client.received, ...outside.received]).toEqual([]);
    expect(dropped(events)).toBe(4);
  });

  test('of a task goes on after the answer that began it', async () => {
    const { call, wire, live } = new Calling();
    const task = asking('"a"').replace('"name":"t"', '"name":"t","task":{"ttl":1}');
    const { outcome, client } = call(task);
    const { id } = wire.at(0).message;
    wire.at(0).answer({ task: {} });
    await outcome;
    await settle();
    live.listenSink.deliver(messageOf(progress(id)));
    expect(client.received).toHaveLength(1);
  });
});

describe('BR5 what the service sends by itself', () => {
  const note = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":1.50}}';
  const asked = '{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage"}';

  test('goes to the client whose call it came with', () => {
    const { call, wire, live, outside } = new Calling();
    const [one, two] = [call('a').client, call('b').client];
    wire.at(1).deliver(note).deliver(asked);
    expect(one.received).toEqual([]);
    expect(two.received).toEqual([note, asked]);
    expect(two.origins).toEqual([live, live]);
    expect(outside.received).toEqual([]);
  });

  test('goes to the client of the session where it came by itself', () => {
    const { live, outside } = new Calling();
    live.listenSink.deliver(messageOf(note));
    live.listenSink.deliver(messageOf(asked));
    expect(outside.received).toEqual([note, asked]);
  });

  test('is answered here where it is a ping, under its own id', () => {
    const { live, wire, outside } = new Calling();
    live.listenSink.deliver(messageOf('{"jsonrpc":"2.0","id":"p\\u0031","method":"ping"}'));
    expect(outside.received).toEqual([]);
    expect(wire.exchanges.map(({ text }) => text)).toEqual(['{"jsonrpc":"2.0","id":"p\\u0031","result":{}}']);
  });
});
