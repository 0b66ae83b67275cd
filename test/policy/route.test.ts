// Which way a request goes: one test a branch.
import { describe, expect, test } from 'vitest';
import { CLOSED, type Breaker } from '../../src/policy/breaker.ts';
import type { Connectivity } from '../../src/policy/connectivity.ts';
import { isLasting } from '../../src/policy/lasting.ts';
import { chooseRoute, type Route, type RouteFacts } from '../../src/policy/route.ts';
import { ERROR_KINDS, type ErrorCode } from '../../src/protocol/errors.ts';

const NOW = 1_000_000;
const open: Breaker = { kind: 'open', trialAt: NOW + 1000, openings: 1 };
const halfOpen: Breaker = { kind: 'half-open', since: NOW - 10, openings: 1 };

function away(
  changes: { code?: ErrorCode; forMs?: number; failedAgoMs?: number; retryAt?: number | null } = {},
) {
  const {
    code = 'ERR_UPSTREAM_UNREACHABLE',
    forMs = 60_000,
    failedAgoMs = 100,
    retryAt = NOW + 2400,
  } = changes;
  return {
    kind: 'TRANSIENT_FAILURE',
    failures: 4,
    outage: {
      since: NOW - forMs,
      failure: { code, message: 'The service cannot be reached (ECONNREFUSED).' },
      lastFailedAt: NOW - failedAgoMs,
    },
    retryAt,
  } as const satisfies Connectivity;
}

function route(connectivity: Connectivity, changes: Partial<RouteFacts> = {}): Route {
  return chooseRoute({
    connectivity,
    breaker: CLOSED,
    now: NOW,
    openedAt: NOW - 1000,
    outagePatienceMs: 15_000,
    wallTime: Date.UTC(2026, 2, 1, 12, 0, 0),
    ...changes,
  });
}

describe('SE1 a request', () => {
  test('goes on the session where there is one', () => {
    expect(route({ kind: 'READY', epoch: 1, since: 0 })).toEqual({ kind: 'session' });
  });

  test('waits for the session where none is there yet', () => {
    expect(route({ kind: 'IDLE' })).toEqual({ kind: 'wait' });
    expect(route({ kind: 'CONNECTING', failures: 9, outage: away().outage })).toEqual({ kind: 'wait' });
  });

  test('FB2 goes on the session while that is on trial', () => {
    expect(route({ kind: 'READY', epoch: 1, since: 0 }, { breaker: halfOpen })).toEqual({ kind: 'session' });
  });

  test('gets an error when the bridge ends, breaker or not', () => {
    for (const breaker of [CLOSED, open, halfOpen]) {
      const result = route({ kind: 'SHUTDOWN' }, { breaker });
      expect(result).toMatchObject({ kind: 'fail', failure: { code: 'ERR_BRIDGE_SHUTDOWN' } });
    }
  });
});

describe('FB1 a request goes by itself where sessions do not hold', () => {
  const states: Connectivity[] = [
    { kind: 'IDLE' },
    { kind: 'CONNECTING', failures: 0, outage: undefined },
    { kind: 'READY', epoch: 1, since: 0 },
    away(),
    away({ retryAt: null }),
  ];

  test.each(states)('in %j', (state) => {
    expect(route(state, { breaker: open })).toEqual({ kind: 'per-request' });
  });
});

describe('FB3 a request in an outage', () => {
  test('waits while the outage is short', () => {
    expect(route(away({ forMs: 14_999 }))).toEqual({ kind: 'wait' });
  });

  test('is told when the outage is long', () => {
    expect(route(away({ forMs: 15_000 })).kind).toBe('fail');
  });

  test('is told at once where a person asked for no patience', () => {
    expect(route(away({ forMs: 0 }), { outagePatienceMs: 0 }).kind).toBe('fail');
  });

  test('waits for one try of its own, however long the outage', () => {
    const long = away({ forMs: 3_600_000, failedAgoMs: 1001 });
    expect(route(long)).toEqual({ kind: 'wait' });
    expect(route(away({ forMs: 3_600_000, failedAgoMs: 1000 })).kind).toBe('fail');
  });

  test('hears since when, why, and when the next try is', () => {
    const result = route(away({ forMs: 90_000 }));
    expect(result).toEqual({
      kind: 'fail',
      failure: {
        code: 'ERR_UPSTREAM_UNREACHABLE',
        message:
          'The service has been away since 2026-03-01T11:58:30.000Z. The service cannot be reached (ECONNREFUSED).' +
          ' The next try is in 3 s.',
        since: '2026-03-01T11:58:30.000Z',
      },
    });
  });

  test('hears of no time in the past', () => {
    const result = route(away({ retryAt: NOW - 5000 }));
    expect(result).toMatchObject({ failure: { message: expect.stringContaining('next try is in 0 s') } });
  });

  test('is told at once what only a person can put right', () => {
    expect(route(away({ code: 'ERR_AUTH_REQUIRED', forMs: 0, failedAgoMs: 0 }))).toMatchObject({
      kind: 'fail',
      failure: { code: 'ERR_AUTH_REQUIRED' },
    });
    expect(route(away({ forMs: 0, failedAgoMs: 5000, retryAt: null }))).toEqual({
      kind: 'fail',
      failure: away().outage.failure,
    });
  });
});

describe('FB3 a failure that stays until somebody does something', () => {
  const atOnce = [
    'ERR_AUTH_REQUIRED',
    'ERR_AUTH_FORBIDDEN',
    'ERR_AUTH_SCOPE',
    'ERR_KEYCHAIN_LOCKED',
    'ERR_KEYCHAIN_MISSING',
    'ERR_KEYCHAIN_TIMEOUT',
    'ERR_KEYCHAIN_FAILED',
    'ERR_STORE_FAILED',
    'ERR_UPSTREAM_REDIRECT',
    'ERR_UPSTREAM_CLIENT_CERT',
    'ERR_PROXY_AUTH',
    'ERR_PROXY_REFUSED',
    'ERR_NETWORK_FILE',
  ];
  const repeated = ['ERR_UPSTREAM_HTTP_STATUS', 'ERR_UPSTREAM_BAD_ANSWER', 'ERR_UPSTREAM_TOO_LARGE'];

  test.each(Object.keys(ERROR_KINDS) as ErrorCode[])('is told from one that passes: %s', (code) => {
    expect(isLasting(code, 1)).toBe(atOnce.includes(code));
    expect(isLasting(code, 3)).toBe([...atOnce, ...repeated].includes(code));
    // In the first moment of an outage, a request waits for what may pass.
    expect(route({ ...away({ code, forMs: 0 }), failures: 1 }).kind).toBe(
      atOnce.includes(code) ? 'fail' : 'wait',
    );
  });
});
