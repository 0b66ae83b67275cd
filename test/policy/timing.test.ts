// How long to wait: Retry-After, backoff, deadlines.
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/policy/backoff.ts';
import { deadline } from '../../src/policy/deadline.ts';
import { parseRetryAfter } from '../../src/policy/retry-after.ts';

describe('RT2 Retry-After', () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0);

  test.each([
    ['seconds', '120', 120_000],
    ['no time at all', '0', 0],
    ['seconds with blanks around', '  5 ', 5000],
    ['a date', 'Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
    ['a date that has passed', 'Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['this very moment', 'Thu, 01 Jan 2026 12:00:00 GMT', 0],
    ['nothing', undefined, undefined],
    ['an empty value', '', undefined],
    ['words', 'soon', undefined],
    ['seconds with a unit', '120s', undefined],
  ])('of %s', (_what, value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });

  test.each([
    ['a negative number', '-5'],
    ['a fraction', '1.5'],
    ['a number with a sign', '+5'],
    ['a list', '1, 2'],
  ])('of %s is no wait that anybody asked for', (_what, value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });

  test('of more than a number can hold is still a number', () => {
    const wait = parseRetryAfter('9'.repeat(400), now);
    expect(wait).toBeGreaterThan(0);
    expect(Number.isFinite(wait)).toBe(true);
  });
});

describe('RT5 backoff', () => {
  const shape = { initialMs: 100, maxMs: 5000 };

  test.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [6, 3200],
    [7, 5000],
    [8, 5000],
    [1000, 5000],
    [Number.MAX_SAFE_INTEGER, 5000],
  ])('of try %i is bounded by %i ms', (attempt, bound) => {
    expect(backoffMs(attempt, shape, () => 0)).toBe(0);
    expect(backoffMs(attempt, shape, () => 0.25)).toBe(bound / 4);
    const longest = backoffMs(attempt, shape, () => 1 - Number.EPSILON);
    expect(longest).toBeLessThan(bound);
    expect(longest).toBeGreaterThan(bound * 0.999);
  });

  test('takes one random number, so that many waits spread over the whole range', () => {
    let draws = 0;
    const wait = backoffMs(1, shape, () => (draws += 1) / 4);
    expect([draws, wait]).toEqual([1, 25]);
  });

  test('begins at the longest wait where that is the shorter one', () => {
    expect(backoffMs(1, { initialMs: 100, maxMs: 10 }, () => 0.5)).toBe(5);
  });
});

describe('RT7 the deadline', () => {
  const limits = { requestTimeoutMs: 30_000, toolTimeoutMs: 230_000, toolTimeoutMaxMs: 1_800_000 };

  test.each([
    ['tools/list', 'claude-ai', 30_000, 30_000],
    ['resources/read', undefined, 30_000, 30_000],
    ['whatever/else', 'cursor', 30_000, 30_000],
    ['tools/call', 'claude-ai', 230_000, 230_000],
    ['tools/call', 'local-agent-mode-cowork', 55_000, 55_000],
    ['tools/call', 'local-agent-mode-', 55_000, 55_000],
    ['tools/call', 'my-local-agent-mode-x', 230_000, 1_800_000],
    ['tools/call', 'cursor', 230_000, 1_800_000],
    ['tools/call', undefined, 230_000, 1_800_000],
  ])('of %s from %s is %i ms, with progress %i ms at most', (method, client, limitMs, maxMs) => {
    expect(deadline(method, client, limits)).toEqual({ limitMs, maxMs });
  });

  test('comes before the client gives up: 60 s in local agent mode, 240 s in Claude Desktop', () => {
    expect(deadline('tools/call', 'local-agent-mode-x', limits).maxMs).toBeLessThan(60_000);
    expect(deadline('tools/call', 'claude-ai', limits).maxMs).toBeLessThan(240_000);
  });

  test('follows a setting that is shorter than the known limit', () => {
    const short = { ...limits, toolTimeoutMs: 10_000 };
    expect(deadline('tools/call', 'local-agent-mode-x', short)).toEqual({ limitMs: 10_000, maxMs: 10_000 });
  });

  test('is never extended below itself', () => {
    const odd = { ...limits, toolTimeoutMaxMs: 1000 };
    const { limitMs, maxMs } = deadline('tools/call', undefined, odd);
    expect(maxMs).toBeGreaterThanOrEqual(limitMs);
  });
});
