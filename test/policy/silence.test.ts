import { describe, expect, test } from 'vitest';
import { isSuspicious, SILENCE } from '../../src/policy/silence.ts';

describe('RT6 silence is suspicious', () => {
  test.each([
    ['on a connection that was quiet before', { wasHeard: false, wasCold: true }, SILENCE.coldMs],
    ['on a connection in use', { wasHeard: false, wasCold: false }, SILENCE.warmMs],
    ['after bytes had come', { wasHeard: true, wasCold: false }, SILENCE.heardMs],
    [
      'after bytes had come, wherever: they show that the connection lives',
      { wasHeard: true, wasCold: true },
      SILENCE.heardMs,
    ],
  ])('%s, from its time on and not before', (_what, facts, limitMs) => {
    expect(isSuspicious({ ...facts, silentMs: limitMs - 1 })).toBe(false);
    expect(isSuspicious({ ...facts, silentMs: limitMs })).toBe(true);
    expect(isSuspicious({ ...facts, silentMs: limitMs * 100 })).toBe(true);
  });

  test('soonest where a dead connection is likely', () => {
    expect(SILENCE.coldMs).toBeLessThan(SILENCE.warmMs);
    expect(SILENCE.warmMs).toBeLessThan(SILENCE.heardMs);
  });

  test('soon enough that a waiting request can be answered within 10 s', () => {
    expect(SILENCE.warmMs + SILENCE.probeTimeoutMs).toBeLessThan(10_000);
  });
});
