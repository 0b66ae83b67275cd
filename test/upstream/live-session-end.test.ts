// Calls that are given up, streams that break, and sessions that end.
import { describe, expect, test } from 'vitest';
import { requestOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { Calling, cancelled } from './calling.ts';
import { endedAt, failed } from './fake-wire.ts';

const unreachable = failed('unknown', 'ERR_UPSTREAM_UNREACHABLE');

describe('BR6 a call that is withdrawn', () => {
  test('is cancelled at the service in the words of the client, under the id that the service knows', async () => {
    const { call, wire } = new Calling();
    const { outcome, withdraw } = call();
    const { id } = wire.at(0).start().message;
    withdraw(cancelled);
    expect(await outcome).toEqual({ kind: 'aborted', progress: 'unknown' });
    expect(wire.cancellations.map(({ text }) => text)).toEqual([
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"reason":"bored","requestId":${id}}}`,
    ]);
  });

  test.each(['deadline', 'shutdown'] as const)(
    'is cancelled with a reason of the bridge: %s',
    async (kind) => {
      const { call, wire } = new Calling();
      const { outcome, withdraw } = call();
      wire.at(0).start();
      withdraw({ kind });
      await outcome;
      const [notice] = wire.cancellations;
      expect(notice?.message.params).toEqual({
        requestId: wire.at(0).message.id,
        reason: expect.stringMatching(/./),
      });
    },
  );

  test('is not cancelled at the service where it was never sent', async () => {
    const { call, wire } = new Calling();
    const { outcome, withdraw } = call();
    withdraw(cancelled);
    expect(await outcome).toEqual({ kind: 'aborted', progress: 'not-sent' });
    expect(wire.exchanges).toHaveLength(1);
    expect(wire.at(0).isAborted).toBe(true);
  });

  test('is not cancelled at the service where it is `initialize`', async () => {
    const { call, wire } = new Calling();
    const { outcome, withdraw } = call('initialize');
    wire.at(0).start();
    withdraw(cancelled);
    await outcome;
    expect(wire.cancellations).toEqual([]);
    expect(wire.at(0).isAborted).toBe(true);
  });

  test('is not sent at all where it was withdrawn before', async () => {
    const { live, wire, outside } = new Calling();
    const question = { request: requestOf(1, 'm'), sink: outside, safety: 'safe' } as const;
    const outcome = await live.call(question, AbortSignal.abort(cancelled));
    expect(outcome).toEqual({ kind: 'aborted', progress: 'not-sent' });
    expect(wire.exchanges).toEqual([]);
  });

  test('keeps its connection until the cancellation has arrived', async () => {
    const { call, wire } = new Calling();
    const { withdraw } = call();
    wire.at(0).start();
    withdraw(cancelled);
    await settle();
    expect(wire.at(0).isAborted).toBe(false);
    wire.at(1).finish({ kind: 'accepted' });
    await settle();
    expect(wire.at(0).isAborted).toBe(true);
  });

  test('keeps its connection for a moment only where the cancellation does not arrive', async () => {
    const { call, wire, clock } = new Calling();
    const { withdraw } = call();
    wire.at(0).start();
    withdraw(cancelled);
    await clock.advance(5000);
    expect(wire.at(0).isAborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('takes no answer and no progress any more', async () => {
    const { call, wire } = new Calling();
    const running = call('{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"progressToken":"p"}}}');
    wire.at(0).start();
    running.withdraw(cancelled);
    await settle();
    const { id } = wire.at(0).message;
    wire.at(0).deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: id } });
    wire.at(0).answer();
    await settle();
    expect(running.seen).toEqual({ kind: 'aborted', progress: 'unknown' });
    expect(running.client.received).toEqual([]);
  });

  test('is left alone by a withdrawal that comes after its answer', async () => {
    const { call, wire } = new Calling();
    const { outcome, withdraw } = call();
    wire.at(0).answer();
    await outcome;
    withdraw(cancelled);
    await settle();
    expect(wire.exchanges).toHaveLength(1);
  });
});

describe('BR8 a stream that ends before the answer', () => {
  test('is resumed after its last event, when the service said to', async () => {
    const { call, wire, clock } = new Calling();
    const running = call();
    wire.at(0).start().finish(endedAt('e1', 300));
    await clock.advance(299);
    expect(wire.exchanges).toHaveLength(1);
    await clock.advance(1);
    expect(wire.at(1).lastEventId).toBe('e1');
    wire.at(1).deliver({ jsonrpc: '2.0', id: wire.at(0).message.id, result: {} });
    expect((await running.outcome).kind).toBe('answered');
  });

  test('is resumed within a second where the service says nothing of when', async () => {
    const { call, wire, clock } = new Calling();
    call();
    wire.at(0).start().finish(endedAt('e1'));
    await clock.advance(1000);
    expect(wire.exchanges).toHaveLength(2);
  });

  test.each([
    ['ends', (stream: object) => ({ kind: 'ended', stream })],
    ['breaks', (stream: object) => ({ kind: 'broken', failed: unreachable, stream })],
  ])('is resumed as often as it %s, each time after the last event that came', async (_what, result) => {
    const { call, wire, clock } = new Calling();
    const running = call();
    for (const lastEventId of ['e1', undefined, 'e2', undefined]) {
      wire
        .at(-1)
        .start()
        .finish(result({ lastEventId, retryMs: undefined }) as never);
      await clock.advance(1000);
    }
    expect(wire.exchanges.map(({ lastEventId }) => lastEventId)).toEqual([undefined, 'e1', 'e1', 'e2', 'e2']);
    expect(running.seen).toBeUndefined();
    wire.at(-1).deliver({ jsonrpc: '2.0', id: wire.at(0).message.id, result: {} });
    expect((await running.outcome).kind).toBe('answered');
  });

  test('is lost where no event had an id', async () => {
    const { call, wire } = new Calling();
    const [ended, broken] = [call(), call()];
    wire.at(0).start().finish(endedAt(undefined));
    wire.at(1).start().finish({ kind: 'broken', failed: unreachable, stream: undefined });
    expect(await ended.outcome).toMatchObject({ failure: { code: 'ERR_UPSTREAM_NO_ANSWER' } });
    expect(await broken.outcome).toEqual(unreachable);
  });

  test('RT4 leaves it open whether the call ran where the service will not resume it', async () => {
    const { call, wire, clock } = new Calling();
    const { outcome } = call();
    wire.at(0).start().finish(endedAt('e1'));
    await clock.advance(1000);
    wire.at(1).finish({ kind: 'refused', status: failed('refused', 'ERR_UPSTREAM_HTTP_STATUS'), code: 400 });
    expect(await outcome).toMatchObject({ progress: 'unknown', failure: { code: 'ERR_UPSTREAM_NO_ANSWER' } });
  });

  test('is not resumed any more when the call has been withdrawn', async () => {
    const { call, wire, clock } = new Calling();
    const { withdraw } = call();
    wire.at(0).start().finish(endedAt('e1'));
    await settle();
    withdraw(cancelled);
    await clock.advance(10_000);
    expect(wire.exchanges.filter(({ lastEventId }) => lastEventId !== undefined)).toEqual([]);
  });

  test.each(['ERR_UPSTREAM_BAD_ANSWER', 'ERR_UPSTREAM_TOO_LARGE'] as const)(
    'BR12 is not resumed where what came was unusable, because the same would come again: %s',
    async (code) => {
      const { call, wire, clock } = new Calling();
      const running = call();
      const stream = { lastEventId: 'e1', retryMs: undefined };
      wire
        .at(0)
        .start()
        .finish({ kind: 'broken', failed: failed('unknown', code), stream });
      await clock.advance(1000);
      expect(wire.exchanges).toHaveLength(1);
      expect(running.seen).toMatchObject({ kind: 'failed', failure: { code } });
    },
  );
});

describe('a session that ends', () => {
  test('SE4 fails each of its calls when it is abandoned, with how far it had come', async () => {
    const { call, wire, live } = new Calling();
    const [sent, unsent] = [call(), call()];
    wire.at(0).start();
    live.abandon(failed('unknown', 'ERR_SESSION_LOST', { sessionLost: true }));
    expect(await sent.outcome).toMatchObject({ kind: 'failed', progress: 'unknown', sessionLost: true });
    expect(await unsent.outcome).toMatchObject({ kind: 'failed', progress: 'not-sent', sessionLost: true });
    expect(wire.exchanges.map(({ isAborted }) => isAborted)).toEqual([true, true]);
    expect(wire.cancellations).toEqual([]);
  });

  test('SE4 lets its calls finish when it is retired, and takes no new ones', async () => {
    const { call, wire, live } = new Calling();
    const running = call();
    wire.at(0).start();
    live.retire();
    expect(live.isOver).toBe(true);
    expect(await call().outcome).toMatchObject({ kind: 'failed', progress: 'not-sent', sessionLost: true });
    expect(wire.exchanges).toHaveLength(1);
    wire.at(0).answer();
    expect((await running.outcome).kind).toBe('answered');
  });

  test('SE4 RT1 takes back what nobody has seen when it is retired', async () => {
    const { call, wire, live } = new Calling();
    const [sent, unsent] = [call(), call()];
    wire.at(0).start();
    live.retire();
    expect(await unsent.outcome).toMatchObject({ kind: 'failed', progress: 'not-sent', sessionLost: true });
    expect(wire.exchanges.map(({ isAborted }) => isAborted)).toEqual([false, true]);
    expect(sent.seen).toBeUndefined();
  });

  test('stays over: what comes late changes nothing', async () => {
    const { call, wire, live } = new Calling();
    const running = call();
    live.abandon(failed('unknown', 'ERR_SESSION_LOST'));
    await settle();
    wire.at(0).answer();
    live.abandon(failed('unknown', 'ERR_BRIDGE_SHUTDOWN'));
    await settle();
    expect(running.seen).toMatchObject({ failure: { code: 'ERR_SESSION_LOST' } });
  });

  test('BR10 sends what is on its way before it says goodbye', async () => {
    const { live, wire } = new Calling();
    void live.send(Buffer.from('{"jsonrpc":"2.0","method":"notifications/x"}'));
    const ended = live.end(new AbortController().signal);
    await settle();
    expect(wire.ended).toBe(0);
    wire.at(0).finish({ kind: 'accepted' });
    await ended;
    expect(wire.ended).toBe(1);
    expect(live.isOver).toBe(true);
  });

  test('BR10 says no goodbye where there is no time for it', async () => {
    const { live, wire } = new Calling();
    await live.end(AbortSignal.abort());
    expect(wire.ended).toBe(0);
    expect(live.isOver).toBe(true);
  });

  test('BR10 does not wait for what does not get away when its time is up', async () => {
    const { live } = new Calling();
    void live.send(Buffer.from('{"jsonrpc":"2.0","method":"notifications/x"}'));
    let isEnded = false;
    void live.end(AbortSignal.abort()).then(() => (isEnded = true));
    await settle();
    expect(isEnded).toBe(true);
  });
});
