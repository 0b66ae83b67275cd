// The loop of tries at one request, on a session that is a script: which ways it goes, and what comes of each try.
import { describe, expect, test } from 'vitest';
import { dispatch, type Reply } from '../../src/bridge/dispatch.ts';
import { PendingTable } from '../../src/bridge/pending.ts';
import type { BridgeEvent } from '../../src/observe/events.ts';
import type { AttemptOutcome, FailedAttempt, Progress } from '../../src/policy/attempt.ts';
import type { ReplaySafety } from '../../src/policy/replay-safety.ts';
import type { Route } from '../../src/policy/route.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { Withdrawal } from '../../src/upstream/call.ts';
import type { Session } from '../../src/upstream/session.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

type Try = AttemptOutcome | ((signal: AbortSignal) => Promise<AttemptOutcome>);

const cancelled: Withdrawal = {
  kind: 'cancelled',
  message: messageOf('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}'),
};
const answer = messageOf('{"jsonrpc":"2.0","id":0,"result":{}}');
const answered: AttemptOutcome = { kind: 'answered', message: answer };

function failed(progress: Progress, code: ErrorCode, more: Partial<FailedAttempt> = {}): FailedAttempt {
  return { kind: 'failed', progress, failure: { code, message: 'It went wrong.' }, ...more };
}
const lost = failed('refused', 'ERR_SESSION_LOST', { sessionLost: true });
const broke = failed('unknown', 'ERR_UPSTREAM_UNREACHABLE');
const untilAborted = (outcome: AttemptOutcome) => (signal: AbortSignal) =>
  new Promise<AttemptOutcome>((resolve) => signal.addEventListener('abort', () => resolve(outcome)));

/** Runs one request through the script: a route each time that it asks for one, and an outcome for each try. */
function run(script: { routes?: Route[]; tries: Try[]; safety?: ReplaySafety }) {
  const clock = new FakeClock();
  const events: BridgeEvent[] = [];
  const ways: string[] = [];
  const routes = [...(script.routes ?? [])];
  const tries = [...script.tries];
  const next = (way: string, signal: AbortSignal): Promise<AttemptOutcome> => {
    ways.push(way);
    const one = tries.shift();
    if (one === undefined) throw new Error('one try too many');
    return typeof one === 'function' ? one(signal) : Promise.resolve(one);
  };
  const session = {
    budget: { deposit: () => {}, withdraw: () => true },
    route: () => routes.shift() ?? { kind: 'session' },
    awaitChange: (signal: AbortSignal) => {
      ways.push('wait');
      return signal.aborted ? Promise.resolve() : settle();
    },
    call: (_question: unknown, signal: AbortSignal) => next('session', signal),
    callPerRequest: (_question: unknown, signal: AbortSignal) => next('per-request', signal),
  };
  const pending = new PendingTable().open(requestOf(1, 'tools/call'), 0, () => {})!;
  pending.expiresAt = 30_000;
  const result: { reply: Reply | undefined } = { reply: undefined };
  const context = {
    session: session as unknown as Session,
    sink: { deliver: () => {}, ready: () => undefined },
    safety: script.safety ?? 'safe',
    clock,
    rng: () => 0.5,
    observer: (event: BridgeEvent) => void events.push(event),
  };
  void dispatch(pending, context).then((reply) => (result.reply = reply));
  return { clock, events, ways, pending, result };
}

const codeOf = ({ reply }: { reply: Reply | undefined }): string | undefined =>
  reply?.kind === 'error' ? reply.failure.code : reply?.kind;

describe('BR13 a request', () => {
  test.each<[string, Try[], ReplaySafety, string]>([
    ['that is answered', [answered], 'unsafe', 'answer'],
    ['that is answered after the session was lost', [lost, answered], 'unsafe', 'answer'],
    ['that reads, and is answered after the connection broke', [broke, answered], 'safe', 'answer'],
    ['that writes, and whose connection broke', [broke], 'unsafe', 'ERR_UPSTREAM_OUTCOME_UNKNOWN'],
    [
      'that reads, and whose connection breaks each time',
      [broke, broke, broke],
      'safe',
      'ERR_UPSTREAM_UNREACHABLE',
    ],
    ['whose session is lost each time', Array.from({ length: 10 }, () => lost), 'unsafe', 'ERR_SESSION_LOST'],
    [
      'that the service has no right for',
      [failed('refused', 'ERR_AUTH_FORBIDDEN')],
      'safe',
      'ERR_AUTH_FORBIDDEN',
    ],
  ])('%s gets its reply after the tries that it takes', async (_what, tries, safety, expected) => {
    const { clock, result, ways, events } = run({ tries, safety });
    await clock.advance(30_000);
    expect(codeOf(result)).toBe(expected);
    expect(ways).toHaveLength(tries.length);
    expect(events.filter(({ type }) => type === 'request.retried')).toHaveLength(tries.length - 1);
  });

  test('FB1 has a connection of its own where sessions do not hold', async () => {
    const { clock, ways, result } = run({ tries: [lost, lost, answered], safety: 'unsafe' });
    await clock.advance(30_000);
    expect(codeOf(result)).toBe('answer');
    expect(ways.at(-1)).toBe('per-request');
  });

  test('FB3 waits while there is no session, and fails when waiting has no point', async () => {
    const failure = { code: 'ERR_UPSTREAM_UNREACHABLE', message: 'It is away.' } as const;
    const { ways, result } = run({
      routes: [{ kind: 'wait' }, { kind: 'wait' }, { kind: 'fail', failure }],
      tries: [],
    });
    for (let i = 0; i < 4; i += 1) await settle();
    expect(ways).toEqual(['wait', 'wait']);
    expect(result.reply).toEqual({ kind: 'error', failure });
  });
});

describe('BR6 a request that is withdrawn', () => {
  test.each<[string, Withdrawal, ReplaySafety, string]>([
    ['by the client', cancelled, 'unsafe', 'silence'],
    ['at its deadline, a read', { kind: 'deadline' }, 'safe', 'ERR_UPSTREAM_TIMEOUT'],
    ['at its deadline, a write', { kind: 'deadline' }, 'unsafe', 'ERR_UPSTREAM_OUTCOME_UNKNOWN'],
    ['at the end, a read', { kind: 'shutdown' }, 'safe', 'ERR_BRIDGE_SHUTDOWN'],
    ['at the end, a write', { kind: 'shutdown' }, 'unsafe', 'ERR_UPSTREAM_OUTCOME_UNKNOWN'],
  ])('while it runs, %s', async (_what, reason, safety, expected) => {
    const { pending, result } = run({
      tries: [untilAborted({ kind: 'aborted', progress: 'unknown' })],
      safety,
    });
    await settle();
    pending.withdraw(reason);
    await settle();
    expect(codeOf(result)).toBe(expected);
  });

  test('before it was sent says so, though it is a write', async () => {
    const { pending, result } = run({
      tries: [untilAborted({ kind: 'aborted', progress: 'not-sent' })],
      safety: 'unsafe',
    });
    pending.withdraw({ kind: 'deadline' });
    await settle();
    expect(codeOf(result)).toBe('ERR_UPSTREAM_TIMEOUT');
  });

  test('between two tries is not tried again', async () => {
    const { pending, result, ways, clock } = run({ tries: [broke, answered] });
    await settle();
    expect(ways).toEqual(['session']);
    pending.withdraw(cancelled);
    await clock.advance(30_000);
    expect(codeOf(result)).toBe('silence');
    expect(ways).toEqual(['session']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('while it waits for a session is not sent', async () => {
    const { pending, result, ways } = run({ routes: [{ kind: 'wait' }], tries: [] });
    pending.withdraw(cancelled);
    await settle();
    await settle();
    expect(codeOf(result)).toBe('silence');
    expect(ways).toEqual(['wait']);
  });

  test('gets no reply, though its try ends in a failure at that moment', async () => {
    const { pending, result } = run({
      routes: [{ kind: 'per-request' }],
      tries: [untilAborted(failed('refused', 'ERR_UPSTREAM_HTTP_STATUS'))],
    });
    await settle();
    pending.withdraw(cancelled);
    await settle();
    expect(codeOf(result)).toBe('silence');
  });
});
