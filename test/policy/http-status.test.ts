import { describe, expect, test } from 'vitest';
import { classifyStatus, isPassing } from '../../src/policy/http-status.ts';

describe('BR12 an HTTP status without a message', () => {
  test.each([
    [301, false, 'refused', 'ERR_UPSTREAM_REDIRECT'],
    [302, true, 'refused', 'ERR_UPSTREAM_REDIRECT'],
    [307, true, 'refused', 'ERR_UPSTREAM_REDIRECT'],
    [400, false, 'refused', 'ERR_UPSTREAM_HTTP_STATUS'],
    [401, false, 'refused', 'ERR_AUTH_REQUIRED'],
    [401, true, 'refused', 'ERR_AUTH_REQUIRED'],
    [403, true, 'refused', 'ERR_AUTH_FORBIDDEN'],
    [404, false, 'refused', 'ERR_UPSTREAM_HTTP_STATUS'],
    [405, true, 'refused', 'ERR_UPSTREAM_HTTP_STATUS'],
    [413, true, 'refused', 'ERR_UPSTREAM_HTTP_STATUS'],
    [429, true, 'refused', 'ERR_UPSTREAM_BUSY'],
    [500, true, 'unknown', 'ERR_UPSTREAM_HTTP_STATUS'],
    [501, true, 'unknown', 'ERR_UPSTREAM_HTTP_STATUS'],
    [503, true, 'refused', 'ERR_UPSTREAM_BUSY'],
    [504, true, 'unknown', 'ERR_UPSTREAM_UNREACHABLE'],
    [599, true, 'unknown', 'ERR_UPSTREAM_HTTP_STATUS'],
  ] as const)('%i (session named: %s) is %s: %s', (status, hadSession, progress, code) => {
    const outcome = classifyStatus({ status, hadSession });
    expect(outcome).toMatchObject({ kind: 'failed', progress, httpStatus: status, failure: { code } });
    expect(outcome.failure.message).toContain(`HTTP ${status}`);
    expect(outcome.sessionLost).not.toBe(true);
  });

  test('SE4 404 to a request that named a session says that the session is gone', () => {
    expect(classifyStatus({ status: 404, hadSession: true })).toMatchObject({
      progress: 'refused',
      sessionLost: true,
      failure: { code: 'ERR_SESSION_LOST' },
    });
  });

  test('of 300 to 599 each has an outcome; none but a server that broke leaves it open whether the request ran', () => {
    const statuses = Array.from({ length: 300 }, (_, i) => 300 + i);
    const progressOf = (status: number): string => classifyStatus({ status, hadSession: false }).progress;
    expect(new Set(statuses.map(progressOf))).toEqual(new Set(['refused', 'unknown']));
    expect(statuses.filter((status) => progressOf(status) === 'unknown' && status < 500)).toEqual([]);
  });

  test('of a redirect names the place, for a person to judge', () => {
    const { failure } = classifyStatus({
      status: 302,
      hadSession: false,
      location: 'https://b.example/login',
    });
    expect(failure.message).toContain('https://b.example/login');
  });

  test('RT2 hands on how long the service asks to wait', () => {
    expect(classifyStatus({ status: 503, hadSession: true, retryAfterMs: 0 }).retryAfterMs).toBe(0);
    expect(classifyStatus({ status: 429, hadSession: true, retryAfterMs: 5000 }).retryAfterMs).toBe(5000);
    expect(classifyStatus({ status: 503, hadSession: true })).not.toHaveProperty('retryAfterMs');
  });
});

test('BR8 a refusal to go on with a stream is of the moment where the service is busy, broken, or late to notice', () => {
  expect([408, 409, 425, 429, 500, 502, 503, 504].filter((status) => !isPassing(status))).toEqual([]);
  expect([0, 307, 400, 401, 403, 404, 405, 410, 412, 422].filter(isPassing)).toEqual([]);
});
