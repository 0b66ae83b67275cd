// Calls that are made twice, and sessions that may or may not be known to the service any more.
import { describe, expect, test } from 'vitest';
import { messageOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { Calling, answerText, cancelled } from './calling.ts';
import { failed, type FakeExchange } from './fake-wire.ts';

const unreachable = failed('unknown', 'ERR_UPSTREAM_UNREACHABLE');

describe('RT6 a call that is asked twice', () => {
  test('takes the first answer, and cancels the other try', async () => {
    const { call, wire, live } = new Calling();
    const running = call();
    wire.at(0).start();
    live.hedge(live.running()[0]!);
    expect(wire.at(1).options.fresh).toBe(true);
    expect(wire.at(1).message.id).not.toBe(wire.at(0).message.id);
    wire.at(1).answer({ try: 2 });
    const outcome = await running.outcome;
    expect(answerText(outcome)).toContain('"try":2');
    await settle();
    expect(wire.cancellations.map(({ message }) => message.params?.['requestId'])).toEqual([
      wire.at(0).message.id,
    ]);
  });

  test('fails only when both tries have', async () => {
    const { call, wire, live } = new Calling();
    const running = call();
    wire.at(0).start();
    live.hedge(live.running()[0]!);
    wire.at(0).finish({ kind: 'broken', failed: unreachable, stream: undefined });
    await settle();
    expect(running.seen).toBeUndefined();
    wire.at(1).start().finish({ kind: 'broken', failed: unreachable, stream: undefined });
    expect(await running.outcome).toEqual(unreachable);
  });

  test('is withdrawn in both tries', async () => {
    const { call, wire, live } = new Calling();
    const running = call();
    wire.at(0).start();
    live.hedge(live.running()[0]!);
    wire.at(1).start();
    running.withdraw(cancelled);
    expect(await running.outcome).toEqual({ kind: 'aborted', progress: 'unknown' });
    const ids = wire.exchanges.slice(0, 2).map(({ message }) => message.id);
    expect(wire.cancellations.map(({ message }) => message.params?.['requestId'])).toEqual(ids);
  });
});

describe('BR7 RT6 the progress of a call that is asked twice', () => {
  const asking =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":"t"},"name":"t"}}';

  /** What the client hears, while the first try (0) or the second (1) reports each value. */
  async function hear(
    reports: readonly (readonly [0 | 1, unknown])[],
    secondFails = false,
  ): Promise<unknown[]> {
    const { call, wire, live } = new Calling();
    const { client } = call(asking);
    const report = (exchange: FakeExchange, progress: unknown): void => {
      const params = { progressToken: exchange.message.id, progress };
      exchange.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params });
    };
    report(wire.at(0).start(), 1);
    report(wire.at(0), 2);
    live.hedge(live.running()[0]!);
    for (const [index, progress] of reports) report(wire.at(index).start(), progress);
    if (secondFails) {
      wire.at(1).finish({ kind: 'broken', failed: unreachable, stream: undefined });
      await settle();
      report(wire.at(0), 9);
    }
    return client.received.map(
      (text) => (JSON.parse(text) as { params: { progress?: unknown } }).params.progress,
    );
  }

  test.each<[string, (readonly [0 | 1, unknown])[], unknown[]]>([
    [
      'is told by the first try while the second waits or says nothing',
      [
        [0, 3],
        [0, 4],
      ],
      [1, 2, 3, 4],
    ],
    [
      'is not told by one that is behind',
      [
        [1, 1],
        [1, 2],
        [0, 3],
        [1, 3],
      ],
      [1, 2, 3],
    ],
    [
      'is told by the second try from where it is further',
      [
        [1, 2],
        [1, 3],
        [1, 4],
      ],
      [1, 2, 3, 4],
    ],
    [
      'only increases though both tell',
      [
        [1, 3],
        [0, 3],
        [0, 4],
        [1, 4],
        [1, 5.5],
      ],
      [1, 2, 3, 4, 5.5],
    ],
    [
      'passes where a service says nothing of how far it is',
      [
        [1, undefined],
        [0, 'x'],
      ],
      [1, 2, undefined, 'x'],
    ],
  ])('%s', async (_what, reports, heard) => {
    expect(await hear(reports)).toEqual(heard);
  });

  test('is told by the first try again when the second has failed', async () => {
    expect(await hear([[1, 3]], true)).toEqual([1, 2, 3, 9]);
  });
});

describe('SE4 HTTP 400, which many services give for a session that they do not know', () => {
  const badRequest = {
    kind: 'refused',
    status: failed('refused', 'ERR_UPSTREAM_HTTP_STATUS'),
    code: 400,
  } as const;

  test('is checked with a ping, one for all calls that get it at once', async () => {
    const { call, wire } = new Calling();
    for (let i = 0; i < 10; i += 1) call();
    for (const exchange of wire.exchanges.slice()) exchange.start().finish(badRequest);
    await settle();
    expect(wire.exchanges.slice(10).map(({ message }) => message.method)).toEqual(['ping']);
  });

  test.each([
    ['400', badRequest],
    [
      '404',
      { kind: 'refused', status: failed('refused', 'ERR_SESSION_LOST', { sessionLost: true }), code: 404 },
    ],
  ] as const)('means that the session is lost where the ping gets %s too', async (_what, result) => {
    const { call, wire } = new Calling();
    const running = call();
    wire.at(0).start().finish(badRequest);
    await settle();
    wire.at(1).start().finish(result);
    expect(await running.outcome).toMatchObject({ kind: 'failed', progress: 'refused', sessionLost: true });
  });

  test('is handed on where the ping is answered: the request was at fault', async () => {
    const { call, wire } = new Calling();
    const message = messageOf('{"jsonrpc":"2.0","id":9,"error":{"code":-32602,"message":"no such thing"}}');
    const [plain, withError] = [call(), call()];
    wire.at(0).start().finish(badRequest);
    wire
      .at(1)
      .start()
      .finish({ ...badRequest, kind: 'rpc-error', message });
    await settle();
    wire.at(2).answer();
    expect(await plain.outcome).toEqual(badRequest.status);
    expect(await withError.outcome).toMatchObject({ kind: 'answered', message });
  });

  test('counts as a lost session where the ping gets no answer: nothing ran, so asking anew does no harm', async () => {
    const { call, wire, clock } = new Calling();
    const running = call();
    wire.at(0).start().finish(badRequest);
    await settle();
    wire.at(1).start();
    await clock.advance(30_000);
    expect(running.seen).toMatchObject({ kind: 'failed', progress: 'refused', sessionLost: true });
    expect(clock.pendingTimers).toBe(0);
  });

  test('is handed on where there is no session to lose', async () => {
    const { call, wire } = new Calling();
    wire.hasSession = false;
    const running = call();
    wire.at(0).start().finish(badRequest);
    expect(await running.outcome).toEqual(badRequest.status);
    expect(wire.exchanges).toHaveLength(1);
  });
});
