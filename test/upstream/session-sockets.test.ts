// The session on real sockets: how many connections it takes, which, and that none is left. Time is still the test's.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { Session } from '../../src/upstream/session.ts';
import type { AttemptOutcome } from '../../src/policy/attempt.ts';
import { requestOf } from '../support/envelopes.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { hang, heldUntil, type ScriptedService } from '../support/scripted-service.ts';
import { useService } from '../support/use.ts';
import { Client } from './calling.ts';
import { defaultSettings as defaults } from '../support/default-settings.ts';

const NEVER = new AbortController().signal;

interface Used {
  readonly service: ScriptedService;
  readonly session: Session;
  readonly clock: FakeClock;
  call(tool: string, key: string): Promise<AttemptOutcome>;
  callPerRequest(tool: string, key: string): Promise<AttemptOutcome>;
}

/** A scripted service, and a session with it that is READY, unless it is not wanted yet. */
async function useSession(settings: Partial<Settings> = {}, isWanted = true): Promise<Used> {
  const service = await useService();
  const clock = new FakeClock();
  const session = new Session({
    profile: { name: 'test', url: new URL(service.url), headers: {} },
    settings: { ...defaults, ...settings },
    clock,
    rng: () => 0.5,
    observer: () => {},
    initialize: requestOf('init', 'initialize', { protocolVersion: '2025-06-18', capabilities: {} }),
    unsolicited: new Client(),
    onEstablished: () => {},
    onRejected: () => {},
  });
  onTestFinished(() => session.close(AbortSignal.abort()));
  if (isWanted) {
    session.want();
    await until(session, () => session.state.kind === 'READY');
    await service.until(() => service.openGetStreams === 1);
  }
  const question = (tool: string, key: string) => ({
    request: requestOf(key, 'tools/call', { name: tool, arguments: { key } }),
    sink: new Client(),
    safety: 'unsafe' as const,
  });
  return {
    service,
    session,
    clock,
    call: (tool, key) => session.call(question(tool, key), NEVER),
    callPerRequest: (tool, key) => session.callPerRequest(question(tool, key), NEVER),
  };
}

/** Waits for a state; nothing but I/O has to happen for it. */
async function until(session: Session, condition: () => boolean): Promise<void> {
  const limit = AbortSignal.timeout(5000);
  while (!condition() && !limit.aborted) await session.awaitChange(limit);
  expect(condition()).toBe(true);
}

const socketsOf = (service: ScriptedService, rpc: string): number[] =>
  service.record.of(rpc).map(({ socket }) => socket);

describe('SE1 a session on real sockets', () => {
  test('is one handshake for a hundred requests, and two connections at most for all that come in turn', async () => {
    const { service, call } = await useSession();
    for (let n = 0; n < 20; n += 1) expect((await call('write', `turn-${n}`)).kind).toBe('answered');
    expect(new Set(socketsOf(service, 'tools/call')).size).toBeLessThanOrEqual(2);
    const sockets = service.socketsOpened;
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, n) => call('write', `many-${n}`)));
    expect(outcomes.every(({ kind }) => kind === 'answered')).toBe(true);
    expect(service.record.handshakes).toBe(1);
    expect(service.socketsOpened - sockets).toBeLessThanOrEqual(100);
    expect([...service.record.executions.values()]).toEqual(Array.from({ length: 120 }, () => 1));
  });

  test('SC4 takes no more connections than the settings allow', async () => {
    const { service, call } = await useSession({ maxConnections: 4 });
    const gate = Promise.withResolvers<void>();
    service.always({ tool: 'write' }, heldUntil(gate.promise));
    const calls = Array.from({ length: 40 }, (_, n) => call('write', `k${n}`));
    await service.until(() => service.record.of('tools/call').length >= 4);
    await new Promise(setImmediate);
    // One more is the stream of the service.
    expect(service.openSockets).toBeLessThanOrEqual(5);
    gate.resolve();
    const outcomes = await Promise.all(calls);
    expect(outcomes.every(({ kind }) => kind === 'answered')).toBe(true);
    expect(service.openSockets).toBeLessThanOrEqual(5);
  });
});

describe('SE7 a machine that has slept', () => {
  test('SE1 has new connections for what comes, and lets what is under way go on', async () => {
    const { service, session, call } = await useSession();
    const gate = Promise.withResolvers<void>();
    service.once({ tool: 'write' }, heldUntil(gate.promise));
    const slow = call('write', 'slow');
    await service.until(() => service.record.of('tools/call').length === 1);
    const before = Math.max(...service.record.requests.map(({ socket }) => socket));
    session.checkNow('the machine was asleep');
    await service.until(() => service.record.of('ping').length === 1);
    expect((await call('write', 'new')).kind).toBe('answered');
    expect(socketsOf(service, 'tools/call').at(-1)).toBeGreaterThan(before);
    gate.resolve();
    expect((await slow).kind).toBe('answered');
    expect(service.record.handshakes).toBe(1);
  });
});

describe('SE8 a session that nobody uses', () => {
  const settings = { idleTimeoutMs: 600_000, healthIntervalMs: 3_600_000 };

  test('is ended at the service, and leaves no connection open', async () => {
    const { service, session, clock } = await useSession(settings);
    expect(service.openSockets).toBeGreaterThan(0);
    await clock.advance(600_000);
    await service.until(() => service.record.deleted.length === 1 && service.openSockets === 0);
    expect(session.state.kind).toBe('IDLE');
    expect(service.sessionCount).toBe(0);
  });

  test('BR13 takes nothing of its next life with it, however long the service takes to end it', async () => {
    const { service, session, clock, call } = await useSession(settings);
    const [ended, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    service.once({ http: 'DELETE' }, heldUntil(ended.promise));
    service.once({ tool: 'write' }, heldUntil(answered.promise));
    await clock.advance(600_000);
    await service.until(() => service.record.by('DELETE').length === 1);
    session.want();
    await until(session, () => session.state.kind === 'READY');
    const write = call('write', 'once');
    await service.until(() => service.record.of('tools/call').length === 1);
    ended.resolve();
    await service.until(() => service.record.deleted.length === 1);
    await settle();
    answered.resolve();
    expect((await write).kind).toBe('answered');
  });
});

describe('FB1 a request with a session of its own', () => {
  test('has one connection, which carries the handshake, the request and the end, and is closed then', async () => {
    const { service, callPerRequest } = await useSession({}, false);
    for (const key of ['a', 'b', 'c']) {
      const before = service.record.requests.length;
      expect((await callPerRequest('write', key)).kind).toBe('answered');
      await service.until(() => service.openSockets === 0);
      const requests = service.record.requests.slice(before);
      expect(requests.map(({ http, rpc }) => rpc ?? http)).toEqual([
        'initialize',
        'notifications/initialized',
        'tools/call',
        'DELETE',
      ]);
      expect(new Set(requests.map(({ socket }) => socket)).size).toBe(1);
    }
    expect(service.socketsOpened).toBe(3);
    expect(service.sessionCount).toBe(0);
  });
});

describe('BR10 the end', () => {
  test('ends the session at the service, and leaves no connection open', async () => {
    const { service, session } = await useSession();
    await session.close(AbortSignal.timeout(1500));
    await service.until(() => service.openSockets === 0);
    expect([service.record.deleted.length, service.sessionCount]).toEqual([1, 0]);
  });

  test('leaves no connection open where the service hangs', async () => {
    const { service, session, call } = await useSession();
    service.always({}, hang);
    void call('write', 'hung');
    await service.until(() => service.record.of('tools/call').length === 1);
    await session.close(AbortSignal.timeout(100));
    await service.until(() => service.openSockets === 0);
    expect(session.state.kind).toBe('SHUTDOWN');
  });
});
