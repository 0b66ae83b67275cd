// How long a service usually takes, by what it is asked.
import { describe, expect, test } from 'vitest';
import { Pace } from '../../src/upstream/pace.ts';
import { requestOf } from '../support/envelopes.ts';

const call = (name: string, args = {}) => requestOf(1, 'tools/call', { name, arguments: args });

describe('RT6 the pace of a service', () => {
  test('is not known of what was never asked', () => {
    expect(new Pace().of(call('read'))).toMatchObject({ firstByteMs: 0, answerMs: 0 });
  });

  test('is that of the slowest answer so far', () => {
    const pace = new Pace();
    for (const ms of [10, 400, 30]) pace.of(call('read')).noteAnswer(ms);
    pace.of(call('read')).noteFirstByte(7);
    const { firstByteMs, answerMs } = pace.of(call('read', { other: 'arguments' }));
    expect(firstByteMs).toBe(7);
    expect(answerMs).toBeGreaterThan(300);
    expect(answerMs).toBeLessThanOrEqual(400);
  });

  test('forgets one slow answer after many quick ones', () => {
    const pace = new Pace();
    pace.of(call('read')).noteAnswer(60_000);
    for (let n = 0; n < 100; n += 1) pace.of(call('read')).noteAnswer(10);
    expect(pace.of(call('read')).answerMs).toBeLessThan(100);
  });

  test('is kept apart for each tool and each method', () => {
    const pace = new Pace();
    pace.of(call('slow')).noteAnswer(5000);
    expect(pace.of(call('quick')).answerMs).toBe(0);
    expect(pace.of(requestOf(1, 'prompts/get', { name: 'slow' })).answerMs).toBe(0);
    expect(pace.of(requestOf(1, 'tools/list')).answerMs).toBe(0);
  });

  test('SC4 is kept for so many kinds and no more; those that are known go on to be learnt', () => {
    const pace = new Pace();
    const kinds = Array.from({ length: 5000 }, (_, n) => call(`tool-${n}`));
    for (const kind of kinds) pace.of(kind).noteAnswer(100);
    expect(kinds.filter((kind) => pace.of(kind).answerMs > 0).length).toBeLessThanOrEqual(1000);
    pace.of(call('tool-0')).noteAnswer(900);
    expect(pace.of(call('tool-0')).answerMs).toBe(900);
  });
});
