// When requests are given up, under one timer for all of them.
import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { Deadlines } from '../../src/bridge/deadlines.ts';
import { PendingTable, type PendingRequest } from '../../src/bridge/pending.ts';
import { requestOf } from '../support/envelopes.ts';
import { FakeClock } from '../support/fake-clock.ts';

class World {
  readonly clock = new FakeClock();
  readonly table = new PendingTable();
  readonly deadlines = new Deadlines(this.clock, () => this.table.all());
  #nextId = 0;

  open(inMs: number): PendingRequest {
    const pending = this.table.open(requestOf(this.#nextId++, 'm'), this.clock.now(), () => {})!;
    this.deadlines.set(pending, this.clock.now() + inMs);
    return pending;
  }
}

test('RT7 each request is withdrawn at its own time, in whatever order they come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 300 }))), async (requests) => {
      const world = new World();
      const open: { pending: PendingRequest; at: number }[] = [];
      const expectAll = (): void => {
        for (const { pending, at } of open) expect(pending.signal.aborted).toBe(world.clock.now() >= at);
      };
      for (const [pauseMs, inMs] of requests) {
        for (let ms = 0; ms < pauseMs; ms += 10) await world.clock.advance(10);
        open.push({ pending: world.open(inMs), at: world.clock.now() + inMs });
        expectAll();
      }
      for (let ms = 0; ms < 400; ms += 10) {
        await world.clock.advance(10);
        expectAll();
      }
      expect(world.clock.pendingTimers).toBeLessThanOrEqual(1);
    }),
    { numRuns: 100 },
  );
});

test('RT7 a time that is set anew counts instead of the one before', async () => {
  const { clock, deadlines, open } = bound(new World());
  const [later, sooner] = [open(100), open(1000)];
  deadlines.set(later, 500);
  deadlines.set(sooner, 200);
  await clock.advance(199);
  expect([later.signal.aborted, sooner.signal.aborted]).toEqual([false, false]);
  await clock.advance(1);
  expect([later.signal.aborted, sooner.signal.aborted]).toEqual([false, true]);
  await clock.advance(300);
  expect(later.signal.aborted).toBe(true);
});

test('a request that was settled is left alone', async () => {
  const { clock, table, open } = bound(new World());
  const pending = open(100);
  table.settle(pending);
  await clock.advance(1000);
  expect(pending.signal.aborted).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

test('nothing is left when they are stopped', () => {
  const { clock, deadlines, open } = bound(new World());
  open(100);
  deadlines.stop();
  expect(clock.pendingTimers).toBe(0);
});

function bound(world: World): Pick<World, 'clock' | 'table' | 'deadlines' | 'open'> {
  const { clock, table, deadlines } = world;
  return { clock, table, deadlines, open: (inMs) => world.open(inMs) };
}
