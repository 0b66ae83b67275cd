// What is done with a session that nobody uses.
import { describe, expect, test } from 'vitest';
import { Keeper } from '../../src/upstream/keeper.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

class Keeping {
  readonly clock = new FakeClock();
  /** When each probe was made. */
  readonly probes: number[] = [];
  readonly idles: number[] = [];
  isBusy = false;
  probe: () => Promise<void> = () => Promise.resolve();
  readonly keeper: Keeper;

  constructor(settings = { healthIntervalMs: 60_000, idleTimeoutMs: 600_000 }) {
    this.keeper = new Keeper({
      clock: this.clock,
      settings,
      probe: () => {
        this.probes.push(this.clock.now());
        return this.probe();
      },
      isBusy: () => this.isBusy,
      onIdle: () => void this.idles.push(this.clock.now()),
    });
    this.keeper.start();
  }
}

describe('SE3 a session without traffic', () => {
  test('is asked once in every health interval', async () => {
    const { clock, probes } = new Keeping();
    await clock.advance(59_999);
    expect(probes).toEqual([]);
    await clock.advance(240_001);
    expect(probes).toEqual([60_000, 120_000, 180_000, 240_000, 300_000]);
  });

  test('is not asked while requests come', async () => {
    const { clock, probes, keeper } = new Keeping();
    for (let n = 0; n < 20; n += 1) {
      await clock.advance(30_000);
      keeper.used();
    }
    expect(probes).toEqual([]);
    await clock.advance(60_000);
    expect(probes).toHaveLength(1);
  });

  test('is asked by one ping at a time, and again an interval after it began', async () => {
    const world = new Keeping();
    const slow = Promise.withResolvers<void>();
    world.probe = () => slow.promise;
    await world.clock.advance(150_000);
    expect(world.probes).toEqual([60_000]);
    slow.resolve();
    await settle();
    await world.clock.advance(60_000);
    expect(world.probes.length).toBeGreaterThan(1);
    expect(world.probes[1]).toBeLessThanOrEqual(150_010);
  });
});

describe('SE8 a session that nobody has used for the idle time', () => {
  test('is given up, once, and then no longer looked after', async () => {
    const { clock, idles, probes } = new Keeping();
    await clock.advance(599_999);
    expect(idles).toEqual([]);
    const asked = probes.length;
    await clock.advance(3_600_000);
    expect(idles).toEqual([600_000]);
    expect(probes.length).toBe(asked);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is kept by pings alone no longer than otherwise: they are nobody’s use of it', async () => {
    const { clock, idles } = new Keeping({ healthIntervalMs: 1000, idleTimeoutMs: 10_000 });
    await clock.advance(10_000);
    expect(idles).toEqual([10_000]);
  });

  test('is kept while something would be lost with it', async () => {
    const world = new Keeping();
    world.isBusy = true;
    await world.clock.advance(3_600_000);
    expect(world.idles).toEqual([]);
    world.isBusy = false;
    await world.clock.advance(660_000);
    expect(world.idles).toHaveLength(1);
  });

  test('is kept from its last use on', async () => {
    const { clock, idles, keeper } = new Keeping();
    await clock.advance(500_000);
    keeper.used();
    await clock.advance(599_000);
    expect(idles).toEqual([]);
    await clock.advance(1001);
    expect(idles).toHaveLength(1);
  });
});

describe('BR10 a keeper that is stopped', () => {
  test('does nothing more, and can be started again', async () => {
    const { clock, idles, probes, keeper } = new Keeping();
    keeper.stop();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(3_600_000);
    expect([idles, probes]).toEqual([[], []]);
    keeper.start();
    await clock.advance(60_000);
    expect(probes).toHaveLength(1);
  });

  test('does nothing more when it is stopped during a ping', async () => {
    const world = new Keeping();
    const slow = Promise.withResolvers<void>();
    world.probe = () => slow.promise;
    await world.clock.advance(60_000);
    world.keeper.stop();
    slow.resolve();
    await world.clock.advance(3_600_000);
    expect(world.probes).toHaveLength(1);
    expect(world.clock.pendingTimers).toBe(0);
  });
});
