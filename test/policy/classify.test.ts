// What follows from a try that brought no answer: one row a case.
import { describe, expect, test, vi } from 'vitest';
import type { FailedAttempt, Progress } from '../../src/policy/attempt.ts';
import {
  MAX_ATTEMPTS,
  MAX_LOST_SESSIONS,
  classify,
  outcomeUnknown,
  type RequestFacts,
} from '../../src/policy/classify.ts';
import { ERROR_KINDS, type ErrorCode } from '../../src/protocol/errors.ts';

function failed(progress: Progress, code: ErrorCode, more: Partial<FailedAttempt> = {}): FailedAttempt {
  return { kind: 'failed', progress, failure: { code, message: 'It went wrong.' }, ...more };
}

function factsOf(changes: Partial<RequestFacts> = {}): RequestFacts {
  return {
    replaySafety: 'safe',
    attempts: 1,
    failures: changes.attempts ?? 1,
    remainingMs: 30_000,
    withdraw: () => true,
    rng: () => 0.5,
    ...changes,
  };
}

/** `retry`, or the code that the request fails with. */
function verdict(outcome: FailedAttempt, changes: Partial<RequestFacts> = {}): string {
  const result = classify(outcome, factsOf(changes));
  return result.kind === 'retry' ? 'retry' : result.failure.code;
}

const usedUp = (): boolean => false;
const busy = failed('refused', 'ERR_UPSTREAM_BUSY');
const broke = failed('unknown', 'ERR_UPSTREAM_UNREACHABLE');
const unreachable = failed('not-sent', 'ERR_UPSTREAM_UNREACHABLE');
const lost = failed('refused', 'ERR_SESSION_LOST', { sessionLost: true });
const silent = failed('unknown', 'ERR_SESSION_LOST', { sessionLost: true });

describe('RT1 what was never sent', () => {
  test.each([
    ['a read', { replaySafety: 'safe' }, 'retry'],
    ['a write', { replaySafety: 'unsafe' }, 'retry'],
    ['the hundredth time', { attempts: 100 }, 'retry'],
    [
      'with no retries left in the budget, since the service gets nothing extra',
      { withdraw: usedUp },
      'retry',
    ],
    ['with its deadline at hand', { remainingMs: 0 }, 'ERR_UPSTREAM_UNREACHABLE'],
  ] as const)('%s: %j ends in %s', (_what, changes, expected) => {
    expect(verdict(unreachable, changes)).toBe(expected);
  });
});

describe('RT2 SE4 what the service refused', () => {
  test.each([
    ['a read, busy', busy, {}, 'retry'],
    ['a write, busy', busy, { replaySafety: 'unsafe' }, 'retry'],
    ['busy, at the last try', busy, { attempts: MAX_ATTEMPTS }, 'ERR_UPSTREAM_BUSY'],
    ['busy, with no budget', busy, { withdraw: usedUp }, 'ERR_UPSTREAM_BUSY'],
    ['a read, session lost', lost, {}, 'retry'],
    ['a write, session lost', lost, { replaySafety: 'unsafe' }, 'retry'],
    ['session lost with no budget', lost, { withdraw: usedUp }, 'retry'],
    ['session lost more often than others get tries', lost, { attempts: MAX_ATTEMPTS }, 'retry'],
    ['session lost too often', lost, { attempts: MAX_LOST_SESSIONS }, 'ERR_SESSION_LOST'],
    ['no sign-in', failed('refused', 'ERR_AUTH_REQUIRED'), {}, 'ERR_AUTH_REQUIRED'],
    ['no right', failed('refused', 'ERR_AUTH_FORBIDDEN'), {}, 'ERR_AUTH_FORBIDDEN'],
    ['an HTTP error', failed('refused', 'ERR_UPSTREAM_HTTP_STATUS'), {}, 'ERR_UPSTREAM_HTTP_STATUS'],
    ['a redirect', failed('refused', 'ERR_UPSTREAM_REDIRECT'), {}, 'ERR_UPSTREAM_REDIRECT'],
  ] as const)('%s', (_what, outcome, changes, expected) => {
    expect(verdict(outcome, changes)).toBe(expected);
  });

  test('waits as long as the service asks for', () => {
    const asked = { ...busy, retryAfterMs: 7000 };
    expect(classify(asked, factsOf())).toMatchObject({ kind: 'retry', afterMs: 7000 });
  });

  test('fails at once where the service asks for more time than there is', () => {
    expect(verdict({ ...busy, retryAfterMs: 7000 }, { remainingMs: 7000 })).toBe('ERR_UPSTREAM_BUSY');
    expect(verdict({ ...busy, retryAfterMs: 7000 }, { remainingMs: 7001 })).toBe('retry');
  });

  test('goes at once to the next session', () => {
    expect(classify(lost, factsOf())).toMatchObject({ kind: 'retry', afterMs: 0 });
  });
});

describe('RT3 RT4 what may have run', () => {
  test.each([
    ['a read whose connection broke', broke, {}, 'retry'],
    ['a read without an answer', failed('unknown', 'ERR_UPSTREAM_NO_ANSWER'), {}, 'retry'],
    ['a read at the last try', broke, { attempts: MAX_ATTEMPTS }, 'ERR_UPSTREAM_UNREACHABLE'],
    ['a read that was silent when its session was lost, often', silent, { attempts: MAX_ATTEMPTS }, 'retry'],
    ['the same too often', silent, { attempts: MAX_LOST_SESSIONS }, 'ERR_SESSION_LOST'],
    ['the same with no budget', silent, { withdraw: usedUp }, 'ERR_SESSION_LOST'],
    ['a read with no budget', broke, { withdraw: usedUp }, 'ERR_UPSTREAM_UNREACHABLE'],
    [
      'a read whose answer makes no sense',
      failed('unknown', 'ERR_UPSTREAM_BAD_ANSWER'),
      {},
      'ERR_UPSTREAM_BAD_ANSWER',
    ],
    [
      'a read whose answer is too large',
      failed('unknown', 'ERR_UPSTREAM_TOO_LARGE'),
      {},
      'ERR_UPSTREAM_TOO_LARGE',
    ],
  ] as const)('%s', (_what, outcome, changes, expected) => {
    expect(verdict(outcome, changes)).toBe(expected);
  });

  const codes = Object.keys(ERROR_KINDS) as ErrorCode[];

  test.each(codes)('is never repeated if it is a write, whatever was said: %s', (code) => {
    for (const sessionLost of [false, true]) {
      const outcome = failed('unknown', code, { sessionLost, retryAfterMs: 0 });
      expect(verdict(outcome, { replaySafety: 'unsafe' })).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    }
  });

  test('takes nothing from the budget if it is a write', () => {
    const withdraw = vi.fn(() => true);
    classify(broke, factsOf({ replaySafety: 'unsafe', withdraw }));
    expect(withdraw).not.toHaveBeenCalled();
  });

  test('is answered with what happened, that it was not repeated, and the cause', () => {
    const failure = outcomeUnknown({ code: 'ERR_UPSTREAM_UNREACHABLE', message: 'The connection broke.' });
    expect(failure.code).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    expect(failure.message).toMatch(/^The connection broke\. .*unknown.*not repeated/);
    expect(failure.cause).toEqual({ code: 'ERR_UPSTREAM_UNREACHABLE', message: 'The connection broke.' });
  });
});

describe('RT5 every retry that may reach the service', () => {
  test.each([
    ['busy', busy],
    ['broken', broke],
  ])('takes one from the budget: %s', (_what, outcome) => {
    const withdraw = vi.fn(() => true);
    expect(verdict(outcome, { withdraw })).toBe('retry');
    expect(withdraw).toHaveBeenCalledOnce();
  });

  test.each([
    ['busy', busy],
    ['broken', broke],
    ['unreachable', unreachable],
  ])('waits longer each time, within bounds, and by chance: %s', (_what, outcome) => {
    const wait = (attempts: number, chance: number): number => {
      const result = classify(outcome, factsOf({ attempts, rng: () => chance }));
      return result.kind === 'retry' ? result.afterMs : NaN;
    };
    expect(wait(1, 0)).toBe(0);
    expect(wait(1, 0.5)).toBeGreaterThan(0);
    expect(wait(2, 0.5)).toBe(2 * wait(1, 0.5));
  });

  test('waits no longer than there is time', () => {
    for (const outcome of [busy, broke, unreachable]) {
      expect(verdict(outcome, { remainingMs: 10, rng: () => 0.999 })).not.toBe('retry');
    }
  });
});
