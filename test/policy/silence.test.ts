import { describe, expect, test } from 'vitest';
import { isSuspicious, SILENCE } from '../../src/policy/silence.ts';

const unknown = { firstByteMs: 0, answerMs: 0 };

describe('RT6 silence is suspicious', () => {
  test.each([
    ['before the first byte', { wasHeard: false, usual: unknown }, SILENCE.startMs],
    ['after bytes had come', { wasHeard: true, usual: unknown }, SILENCE.heardMs],
    [
      'where the service is quick',
      { wasHeard: false, usual: { firstByteMs: 5, answerMs: 50 } },
      SILENCE.startMs,
    ],
    [
      'where the service is usually slow to begin',
      { wasHeard: false, usual: { firstByteMs: 2000, answerMs: 2000 } },
      SILENCE.patience * 2000,
    ],
    [
      'where it is usually slow to end',
      { wasHeard: true, usual: { firstByteMs: 5, answerMs: 9000 } },
      SILENCE.patience * 9000,
    ],
    [
      'where it is slower than anybody waits for',
      { wasHeard: true, usual: { firstByteMs: 5, answerMs: 600_000 } },
      SILENCE.longestMs,
    ],
  ])('%s, from its time on and not before', (_what, facts, limitMs) => {
    expect(isSuspicious({ ...facts, silentMs: limitMs - 1 })).toBe(false);
    expect(isSuspicious({ ...facts, silentMs: limitMs })).toBe(true);
    expect(isSuspicious({ ...facts, silentMs: limitMs * 100 })).toBe(true);
  });

  test('soon enough that a new request is answered within 2 s and a waiting one within 10 s', () => {
    expect(SILENCE.startMs).toBeLessThan(2000);
    expect(SILENCE.heardMs + SILENCE.probeTimeoutMs).toBeLessThan(10_000);
  });
});
