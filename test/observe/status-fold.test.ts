// The status as a fold: the same events give the same status, and it fits the schema that programs rely on.
import { describe, expect, test } from 'vitest';
import type { BridgeEvent, Labels, Observed } from '../../src/observe/events.ts';
import { poolReport } from '../../src/observe/pool-report.ts';
import { StatusFold } from '../../src/observe/status-fold.ts';
import type { Instance, ProfileStatus, Status } from '../../src/observe/status.ts';
import { ERROR_KINDS } from '../../src/protocol/errors.ts';
import { readSchema, violations } from '../support/json-schema.ts';
import { answered, c1, healthyMorning, NOON, outage, s1, told, work } from './telling.ts';

const instance: Instance = {
  mode: 'daemon',
  version: '1.2.3',
  pid: 42,
  startedAt: new Date(NOON - 1000).toISOString(),
};
const schema = readSchema('status.schema.json');

function statusAfter(events: readonly Observed[], now = NOON + 120_000): Status {
  const fold = new StatusFold();
  for (const event of events) fold.take(event);
  const status = fold.snapshot(now, instance);
  expect(violations(schema, JSON.parse(JSON.stringify(status)))).toEqual([]);
  return status;
}

function profileAfter(events: readonly Observed[], now?: number): ProfileStatus {
  const { profiles } = statusAfter(events, now);
  expect(profiles).toHaveLength(1);
  return profiles[0]!;
}

const state = (
  to: Extract<BridgeEvent, { type: 'session.state' }>['state'],
  more: Partial<Extract<BridgeEvent, { type: 'session.state' }>> = {},
  labels: Labels = s1,
  at = NOON,
): Observed => told(labels, { type: 'session.state', state: to, reason: 'because', ...more }, at);

describe('ST1 the status of a profile', () => {
  test('tells all that belongs to a healthy one', () => {
    expect(profileAfter(healthyMorning())).toMatchObject({
      profile: 'work',
      service: 'https://mcp.example.com/mcp',
      health: 'healthy',
      advice: null,
      state: 'READY',
      since: '2026-01-01T12:00:00.414Z',
      route: 'session',
      revision: '2025-11-25',
      sessionSince: '2026-01-01T12:00:00.414Z',
      sessions: [{ id: 's1', handshakes: 1, handshakeMs: 412, hasSessionId: true }],
      clients: [{ id: 'c1', name: 'claude-ai', version: '1.2.0', attachedAt: '2026-01-01T12:00:00.000Z' }],
      requests: { total: 5, answered: 5, failed: 0, cancelled: 0 },
      latency: { window: '5m', count: 5 },
      lastError: null,
      signIn: { state: 'none-needed', expiresAt: null },
    });
  });

  test('has latencies that fit what was measured', () => {
    const { latency } = profileAfter(healthyMorning());
    expect(latency.p50).toBeGreaterThan(38);
    expect(latency.p50).toBeLessThan(50);
    expect(latency.p99).toBeGreaterThan(250);
    expect(latency.p99).toBeLessThan(350);
  });

  test('shows the latency since the start when the last five minutes were quiet', () => {
    const { latency } = profileAfter(healthyMorning(), NOON + 3_600_000);
    expect(latency).toMatchObject({ window: 'all', count: 5 });
    expect(latency.p50).not.toBeNull();
  });

  test('is degraded in an outage, with the reason, the next try and what to do', () => {
    const profile = profileAfter([...healthyMorning(), ...outage()]);
    expect(profile).toMatchObject({
      health: 'degraded',
      state: 'TRANSIENT_FAILURE',
      reason: 'No connection (ECONNREFUSED).',
      nextTryAt: '2026-01-01T12:01:20.010Z',
      advice: ERROR_KINDS.ERR_UPSTREAM_UNREACHABLE.remedy,
      lastError: {
        code: 'ERR_UPSTREAM_UNREACHABLE',
        message: 'No connection (ECONNREFUSED).',
        remedy: ERROR_KINDS.ERR_UPSTREAM_UNREACHABLE.remedy,
      },
    });
  });

  test('is healthy again after it, and remembers the error', () => {
    const profile = profileAfter([...healthyMorning(), ...outage(), state('CONNECTING'), state('READY')]);
    expect(profile).toMatchObject({ health: 'healthy', advice: null, nextTryAt: null });
    expect(profile.lastError?.code).toBe('ERR_UPSTREAM_UNREACHABLE');
  });

  test.each<[string, Observed[], 'healthy' | 'degraded']>([
    ['a first handshake is under way', [state('CONNECTING')], 'healthy'],
    ['nobody uses it', [state('READY'), state('IDLE')], 'healthy'],
    ['it comes back from an outage', [state('CONNECTING', { code: 'ERR_UPSTREAM_TIMEOUT' })], 'degraded'],
    [
      'requests go by the per-request route',
      [state('IDLE'), told(s1, { type: 'session.route', route: 'per-request', reason: 'lost' })],
      'degraded',
    ],
    [
      'they have come back from it',
      [
        told(s1, { type: 'session.route', route: 'per-request', reason: 'lost' }),
        told(s1, { type: 'session.route', route: 'session', reason: 'tried again' }),
        state('READY'),
      ],
      'healthy',
    ],
    ['a sign-in is needed', [told(work, { type: 'sign-in.state', state: 'needed' })], 'degraded'],
  ])('where %s, it is as it should be called', (_what, events, health) => {
    const profile = profileAfter(events);
    expect(profile.health).toBe(health);
    expect(profile.advice === null).toBe(health === 'healthy');
  });

  test('is that of the session that is worst off', () => {
    const s2 = { profile: 'work', session: 's2' };
    const profile = profileAfter([
      state('READY'),
      state('TRANSIENT_FAILURE', { code: 'ERR_UPSTREAM_BUSY' }, s2),
    ]);
    expect(profile.state).toBe('TRANSIENT_FAILURE');
    expect(profile.sessions.map(({ id }) => id)).toEqual(['s1', 's2']);
  });

  test('counts retries, replays, hedges, fallbacks and failures', () => {
    const retried = (progress: 'not-sent' | 'unknown'): BridgeEvent => {
      return { type: 'request.retried', method: 'm', attempt: 1, code: 'ERR_UPSTREAM_TIMEOUT', progress };
    };
    const { requests } = profileAfter([
      told(c1, retried('not-sent')),
      told(c1, retried('unknown')),
      told(s1, { type: 'request.hedged', method: 'm' }),
      told(c1, { type: 'request.fallback', method: 'm' }),
      told(c1, answered(1)),
      told(c1, { type: 'request.settled', method: 'm', ms: 1, outcome: 'cancelled' }),
      told(c1, { type: 'request.settled', method: 'm', ms: 1, outcome: 'ERR_UPSTREAM_TIMEOUT' }),
    ]);
    expect(requests).toEqual({
      total: 3,
      answered: 1,
      failed: 1,
      cancelled: 1,
      failures: { ERR_UPSTREAM_TIMEOUT: 1 },
      retries: 2,
      replays: 1,
      hedges: 1,
      fallbacks: 1,
    });
  });

  test('knows of a sign-in: needed after a refusal, none needed where none was asked for, and until when', () => {
    const refused = state('TRANSIENT_FAILURE', { code: 'ERR_AUTH_REQUIRED', retryInMs: null });
    expect(profileAfter([refused]).signIn.state).toBe('needed');
    expect(profileAfter([refused]).nextTryAt).toBeNull();
    expect(profileAfter([refused, state('READY')]).signIn.state).toBe('none-needed');
    const signedIn = told(work, { type: 'sign-in.state', state: 'signed-in', expiresAt: NOON + 1000 });
    expect(profileAfter([signedIn, state('READY')]).signIn).toEqual({
      state: 'signed-in',
      expiresAt: '2026-01-01T12:00:01.000Z',
    });
  });

  test('forgets a client that has left and a session that has ended, and keeps what they came to', () => {
    const profile = profileAfter([
      ...healthyMorning(),
      state('SHUTDOWN'),
      told(c1, { type: 'client.detached', reason: 'the client closed its end' }),
    ]);
    expect([profile.clients, profile.sessions]).toEqual([[], []]);
    expect(profile.requests.answered).toBe(5);
    expect(profile.state).toBe('IDLE');
  });
});

test('ST1 the whole is healthy only where every profile is', () => {
  expect(statusAfter(healthyMorning()).health).toBe('healthy');
  const other = outage().map((each) => ({ ...each, labels: { profile: 'other', session: 's9' } }));
  expect(statusAfter([...healthyMorning(), ...other]).health).toBe('degraded');
  expect(statusAfter([]).health).toBe('healthy');
});

test('SC4 profiles, sessions and clients have limits, and those in use are not pushed out', () => {
  const fold = new StatusFold();
  fold.take(told({ profile: 'kept', client: 'c' }, { type: 'client.attached', service: 'x', by: 'stdio' }));
  for (let n = 0; n < 400; n += 1) fold.take(told({ profile: `p${n}` }, answered(1)));
  for (let n = 0; n < 2000; n += 1) {
    const labels = { profile: 'kept', client: `c${n}`, session: `s${n}` };
    fold.take(told(labels, { type: 'client.attached', service: 'x', by: 'stdio' }));
    fold.take(state('READY', {}, labels));
  }
  const { profiles } = fold.snapshot(NOON, instance);
  const kept = profiles.find(({ profile }) => profile === 'kept');
  expect(profiles.length).toBeLessThanOrEqual(256);
  expect(kept?.clients.length).toBeLessThanOrEqual(1024);
  expect(kept?.sessions.length).toBeLessThanOrEqual(64);
});

test('the same events give the same status, whatever happens between them', () => {
  const events = [...healthyMorning(), ...outage()];
  expect(statusAfter(events)).toEqual(statusAfter(events));
});

test('ST2 the figures of the pool fit their schema', () => {
  const session = { id: 's1', profile: 'work', state: 'READY', leases: 2, callsInFlight: 1, calls: 9 };
  const report = poolReport(
    { sessions: [{ ...session, createdAt: NOON, lastUsedAt: NOON + 5 }], perRequestLeases: 3 },
    NOON + 10,
  );
  expect(violations(readSchema('pool-stats.schema.json'), report)).toEqual([]);
  expect(report.sessions[0]).toMatchObject({ clients: 2, createdAt: '2026-01-01T12:00:00.000Z' });
  expect(report.clientsWithoutSession).toBe(3);
});

test('the check of schemas finds what does not fit', () => {
  const status = JSON.parse(JSON.stringify(statusAfter(healthyMorning()))) as Record<string, unknown>;
  expect(violations(schema, { ...status, at: 'noon' })).toHaveLength(1);
  expect(violations(schema, { ...status, more: 1 })).toEqual(['$: more is not in the schema']);
  delete status['health'];
  expect(violations(schema, status)).toEqual(['$: no health']);
  expect(() => violations({ multipleOf: 2 }, 3)).toThrow('multipleOf');
});
