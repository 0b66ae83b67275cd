// Who is asked again when a connection falls silent, and when.
import { describe, expect, test } from 'vitest';
import type { FailedAttempt } from '../../src/policy/attempt.ts';
import { RetryBudget } from '../../src/policy/retry-budget.ts';
import type { ReplaySafety } from '../../src/policy/replay-safety.ts';
import { SILENCE } from '../../src/policy/silence.ts';
import { PathWatch } from '../../src/upstream/path-watch.ts';
import { requestOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { Calling, Client } from './calling.ts';
import { failed, type FakeExchange } from './fake-wire.ts';

/** The watch looks this often, in milliseconds, so nothing is found sooner than that after its time. */
const LOOK_MS = 250;

class Watching extends Calling {
  #written = 0;
  readonly budget = new RetryBudget();
  readonly downs: FailedAttempt[] = [];
  readonly watch = new PathWatch({
    live: this.live,
    clock: this.clock,
    budget: this.budget,
    observer: () => {},
    onDown: (failure) => void this.downs.push(failure),
  });

  /** Writes a request. */
  async ask(name: string, safety: ReplaySafety = 'safe'): Promise<FakeExchange> {
    await settle();
    const request = requestOf(name, 'tools/call', { name });
    void this.live.call({ request, sink: new Client(), safety }, new AbortController().signal);
    this.watch.wake();
    this.#written = this.wire.exchanges.length;
    return this.wire.at(-1).start();
  }

  /** The tries at this request so far. */
  tries(name: string): FakeExchange[] {
    return this.wire.exchanges.filter(({ message }) => message.params?.['name'] === name);
  }

  get pings(): FakeExchange[] {
    return this.wire.exchanges.filter(({ message }) => message.method === 'ping');
  }

  /** Lets time pass; everything is written at once, and the service answers each ping. */
  async advanceAnsweringPings(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += LOOK_MS) {
      await this.clock.advance(LOOK_MS);
      for (const exchange of this.wire.exchanges.slice(this.#written)) {
        if (exchange.message.method === 'ping') exchange.answer();
        else exchange.start();
      }
      this.#written = this.wire.exchanges.length;
      await settle();
    }
  }
}

describe('RT6 a call that falls silent', () => {
  test('leads to a ping when its time has come, and not before', async () => {
    const world = new Watching();
    await world.ask('read');
    await world.clock.advance(SILENCE.startMs - 1);
    expect(world.pings).toHaveLength(0);
    await world.clock.advance(LOOK_MS);
    expect(world.pings).toHaveLength(1);
    expect(world.pings[0]?.options.fresh).toBe(true);
  });

  test('has the more time the slower the service usually is with it', async () => {
    const world = new Watching();
    const slow = await world.ask('read');
    await world.clock.advance(900);
    slow.options.onBytes?.();
    slow.answer();
    await world.ask('read');
    await world.clock.advance(SILENCE.patience * 900 - 1);
    expect(world.pings).toHaveLength(0);
    await world.clock.advance(LOOK_MS);
    expect(world.pings).toHaveLength(1);
  });

  test('is asked once more on a connection of its own when the ping is answered', async () => {
    const world = new Watching();
    await world.ask('read');
    await world.advanceAnsweringPings(SILENCE.startMs + LOOK_MS);
    const [first, second, ...more] = world.tries('read');
    expect(more).toEqual([]);
    expect(second?.options.fresh).toBe(true);
    expect(second?.message.id).not.toBe(first?.message.id);
  });

  test('is asked no third time, however long the silence', async () => {
    const world = new Watching();
    await world.ask('read');
    await world.advanceAnsweringPings(120_000);
    expect(world.tries('read')).toHaveLength(2);
  });

  test('RT4 is never asked again if it is a write', async () => {
    const world = new Watching();
    await world.ask('write', 'unsafe');
    await world.ask('read');
    await world.advanceAnsweringPings(120_000);
    world.watch.recovered(world.clock.now());
    expect(world.tries('write')).toHaveLength(1);
    expect(world.tries('read')).toHaveLength(2);
  });

  test('is not asked again while the service waits for an answer of the client, nor later', async () => {
    const world = new Watching();
    const read = await world.ask('read');
    read.options.onBytes?.();
    read.deliver({ jsonrpc: '2.0', id: 77, method: 'elicitation/create', params: { message: 'Sure?' } });
    await world.advanceAnsweringPings(120_000);
    world.watch.recovered(world.clock.now());
    expect(world.tries('read')).toHaveLength(1);
  });

  test('is asked again though the service has pinged in its stream', async () => {
    const world = new Watching();
    const read = await world.ask('read');
    read.options.onBytes?.();
    read.deliver({ jsonrpc: '2.0', id: 77, method: 'ping' });
    await world.advanceAnsweringPings(SILENCE.heardMs + LOOK_MS);
    expect(world.tries('read')).toHaveLength(2);
  });

  test('is asked again only while the retry budget lasts', async () => {
    const world = new Watching();
    while (world.budget.withdraw());
    await world.ask('read');
    await world.advanceAnsweringPings(60_000);
    expect(world.tries('read')).toHaveLength(1);
    expect(world.pings.length).toBeGreaterThan(0);
  });

  test('is left alone where its answer comes before that of the ping', async () => {
    const world = new Watching();
    const read = await world.ask('read');
    await world.clock.advance(SILENCE.startMs + LOOK_MS);
    read.answer();
    world.pings[0]?.answer();
    await world.clock.advance(60_000);
    expect(world.tries('read')).toHaveLength(1);
  });

  test('has more time once bytes have come', async () => {
    const world = new Watching();
    const read = await world.ask('read');
    await world.clock.advance(500);
    read.options.onBytes?.();
    await world.advanceAnsweringPings(SILENCE.heardMs - LOOK_MS);
    expect(world.pings).toHaveLength(0);
    await world.advanceAnsweringPings(2 * LOOK_MS);
    expect(world.tries('read')).toHaveLength(2);
  });
});

describe('RT1 RT6 a call that waits for a connection', () => {
  function queue(world: Watching, safety: ReplaySafety): void {
    const request = requestOf('queued', 'tools/call', { name: 'queued' });
    void world.live.call({ request, sink: new Client(), safety }, new AbortController().signal);
    world.watch.wake();
  }

  test.each(['safe', 'unsafe'] as const)(
    'is taken back and put on a new one when it waits for long, though it is %s: nobody saw it',
    async (safety) => {
      const world = new Watching();
      queue(world, safety);
      await world.clock.advance(SILENCE.queuedMs + LOOK_MS);
      expect(world.pings).toHaveLength(1);
      world.pings[0]?.answer();
      await settle();
      const [first, second, ...more] = world.tries('queued');
      expect(more).toEqual([]);
      expect([first?.isAborted, second?.isAborted]).toEqual([true, false]);
    },
  );

  test('is put on a new one at once when the path carries again', () => {
    const world = new Watching();
    queue(world, 'unsafe');
    world.watch.recovered(world.clock.now());
    expect(world.tries('queued').map(({ isAborted }) => isAborted)).toEqual([true, false]);
  });

  test('RT4 is left alone once it is written', () => {
    const world = new Watching();
    queue(world, 'unsafe');
    world.wire.at(-1).start();
    world.watch.recovered(world.clock.now() + 1);
    expect(world.tries('queued').map(({ isAborted }) => isAborted)).toEqual([false]);
  });
});

describe('RT6 SC4 the watch', () => {
  test('sends one ping for a hundred silent calls, and gives each its second try', async () => {
    const world = new Watching();
    for (let n = 0; n < 100; n += 1) await world.ask(`read-${n}`);
    await world.clock.advance(SILENCE.startMs + LOOK_MS);
    expect(world.pings).toHaveLength(1);
    await world.advanceAnsweringPings(LOOK_MS);
    const tries = Array.from({ length: 100 }, (_, n) => world.tries(`read-${n}`).length);
    expect(new Set(tries)).toEqual(new Set([2]));
  });

  test('rests after a ping that was answered', async () => {
    const world = new Watching();
    await world.ask('write', 'unsafe');
    await world.advanceAnsweringPings(SILENCE.startMs + LOOK_MS);
    expect(world.pings).toHaveLength(1);
    await world.advanceAnsweringPings(SILENCE.restMs - 2 * LOOK_MS);
    expect(world.pings).toHaveLength(1);
    await world.advanceAnsweringPings(2 * LOOK_MS);
    expect(world.pings).toHaveLength(2);
  });

  test('SE4 gives up reads that fall silent on a session that is over, and asks nothing there', async () => {
    const world = new Watching();
    const write = await world.ask('write', 'unsafe');
    const read = await world.ask('read');
    const heard = await world.ask('heard');
    world.live.retire();
    await world.clock.advance(SILENCE.startMs - 1);
    heard.options.onBytes?.();
    expect(read.isAborted).toBe(false);
    await world.clock.advance(2 * LOOK_MS);
    expect([write, read, heard].map(({ isAborted }) => isAborted)).toEqual([false, true, false]);
    await world.clock.advance(60_000);
    expect([write, read, heard].map(({ isAborted }) => isAborted)).toEqual([false, true, true]);
    expect(world.wire.exchanges).toHaveLength(3);
    write.answer();
    await world.clock.advance(LOOK_MS);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('has no timer left when no call is', async () => {
    const world = new Watching();
    const read = await world.ask('read');
    await world.clock.advance(500);
    read.answer();
    await world.clock.advance(LOOK_MS);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('has no timer left when the session is over', async () => {
    const world = new Watching();
    await world.ask('read');
    world.live.abandon(failed('unknown', 'ERR_SESSION_LOST'));
    await world.clock.advance(LOOK_MS);
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('SE3 a path', () => {
  test('is down when the ping stays without an answer too; nobody is asked again into it', async () => {
    const world = new Watching();
    await world.ask('read');
    await world.clock.advance(SILENCE.startMs + LOOK_MS);
    world.pings[0]?.start();
    expect(world.downs).toEqual([]);
    await world.clock.advance(SILENCE.probeTimeoutMs);
    expect(world.downs).toMatchObject([{ kind: 'failed', failure: { code: 'ERR_UPSTREAM_UNREACHABLE' } }]);
    expect(world.tries('read')).toHaveLength(1);
  });

  test('SE4 is told from a lost session', async () => {
    const world = new Watching();
    await world.ask('read');
    await world.clock.advance(SILENCE.startMs + LOOK_MS);
    const status = failed('refused', 'ERR_SESSION_LOST', { sessionLost: true });
    world.pings[0]?.start().finish({ kind: 'refused', status, code: 404 });
    await settle();
    expect(world.downs).toMatchObject([{ sessionLost: true }]);
  });

  test('that carries again gives a second try to who was silent since before, at once', async () => {
    const world = new Watching();
    await world.ask('before');
    await world.clock.advance(3000);
    const heard = await world.ask('heard');
    await world.clock.advance(1000);
    heard.options.onBytes?.();
    await world.ask('after');
    world.watch.recovered(world.clock.now());
    const tries = ['before', 'heard', 'after'].map((name) => world.tries(name).length);
    expect(tries).toEqual([2, 1, 1]);
  });

  test('that carries again gives no third try', async () => {
    const world = new Watching();
    await world.ask('read');
    await world.clock.advance(3000);
    for (let n = 0; n < 5; n += 1) {
      world.watch.recovered(world.clock.now());
      world.wire.at(-1).start();
      await world.clock.advance(100);
    }
    expect(world.tries('read')).toHaveLength(2);
  });
});
