// The end of one client of several: how long its slowness counts.
import { describe, expect, test } from 'vitest';
import { Outlet } from '../../src/pool/outlet.ts';
import { messageOf } from '../support/envelopes.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { inWords } from './pool-world.ts';

const CHANGED = messageOf('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}');
const ORIGIN = { isOver: false, send: () => Promise.resolve() };

class Reader {
  readonly clock = new FakeClock();
  readonly heard: string[] = [];
  behind: Promise<void> | undefined;
  #resume = (): void => {};
  readonly outlet = new Outlet(
    { deliver: (message) => void this.heard.push(inWords(message)), ready: () => this.behind },
    this.clock,
  );

  stop(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.behind = promise;
    this.#resume = resolve;
  }

  resume(): void {
    this.behind = undefined;
    this.#resume();
  }

  /** Whether the others are held up. */
  async holds(): Promise<boolean> {
    const ready = this.outlet.ready();
    if (ready === undefined) return false;
    const state = { isOver: false };
    void ready.then(() => (state.isOver = true));
    await settle();
    return !state.isOver;
  }
}

describe('SC4 one client that reads', () => {
  test('holds nobody up', async () => {
    expect(await new Reader().holds()).toBe(false);
  });

  test('slowly is waited for until it has read', async () => {
    const reader = new Reader();
    reader.stop();
    const ready = reader.outlet.ready();
    await reader.clock.advance(900);
    expect(await reader.holds()).toBe(true);
    reader.resume();
    await ready;
    expect(await reader.holds()).toBe(false);
    expect([reader.outlet.isHeldUp, reader.clock.pendingTimers]).toEqual([false, 0]);
  });

  test('not at all is waited for a second, and once only', async () => {
    const reader = new Reader();
    reader.stop();
    const ready = reader.outlet.ready();
    await reader.clock.advance(1000);
    await ready;
    expect(await reader.holds()).toBe(false);
    expect([reader.outlet.isHeldUp, reader.outlet.deliver(CHANGED, ORIGIN), reader.heard]).toEqual([
      true,
      true,
      [],
    ]);
    reader.resume();
    await settle();
    expect([reader.outlet.isHeldUp, reader.heard]).toEqual([false, ['tools/list_changed']]);
    reader.stop();
    expect(await reader.holds()).toBe(true);
  });
});
