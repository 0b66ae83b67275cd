// Work on one thing, one after the other.
import { describe, expect, test } from 'vitest';
import { Turns } from '../../src/pool/turns.ts';
import { settle } from '../support/fake-clock.ts';

class Working {
  readonly turns = new Turns();
  readonly begun: string[] = [];
  readonly #ends = new Map<string, (failed: boolean) => void>();

  take(name: string, key = 'x', signal = new AbortController().signal): Promise<string | undefined> {
    return this.turns.take(key, signal, () => {
      this.begun.push(name);
      return new Promise((resolve, reject) => {
        this.#ends.set(name, (failed) => (failed ? reject(new Error(name)) : resolve(name)));
      });
    });
  }

  async end(name: string, failed = false): Promise<void> {
    this.#ends.get(name)?.(failed);
    await settle();
  }
}

describe('turns', () => {
  test('come in the order in which they were asked for, side by side for different things', async () => {
    const working = new Working();
    const all = [working.take('a'), working.take('b'), working.take('c'), working.take('other', 'y')];
    await settle();
    expect(working.begun).toEqual(['a', 'other']);
    await working.end('a');
    expect(working.begun).toEqual(['a', 'other', 'b']);
    for (const name of ['b', 'c', 'other']) await working.end(name);
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'other']);
  });

  test('of those who give up are left out, and nobody behind them gets past those in front', async () => {
    const working = new Working();
    const stop = new AbortController();
    void working.take('a');
    const given = working.take('b', 'x', stop.signal);
    void working.take('c');
    stop.abort();
    expect(await given).toBeUndefined();
    await settle();
    expect(working.begun).toEqual(['a']);
    await working.end('a');
    expect(working.begun).toEqual(['a', 'c']);
  });

  test('end with failures too', async () => {
    const working = new Working();
    const failing = expect(working.take('a')).rejects.toThrow('a');
    void working.take('b');
    await settle();
    await working.end('a', true);
    await failing;
    expect(working.begun).toEqual(['a', 'b']);
  });

  test('SC4 leave nothing behind', async () => {
    const working = new Working();
    for (let n = 0; n < 100; n += 1) {
      const name = String(n);
      void working.take(name, name);
      await working.end(name);
    }
    expect(working.turns.size).toBe(0);
  });
});
