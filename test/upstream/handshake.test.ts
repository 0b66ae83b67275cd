// Handshakes: the time they have, the tries that join a silent one, and the sessions that nobody needs then.
import { beforeEach, describe, expect, test } from 'vitest';
import { handshakeInTime, type HandshakeOutcome } from '../../src/upstream/handshake.ts';
import type { HttpClient as RealHttpClient } from '../../src/upstream/http.ts';
import { requestOf } from '../support/envelopes.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { network, type FakeHttpExchange } from '../support/fake-http.ts';
import { Client } from './calling.ts';
import { HttpClient } from './fake-pools.ts';
import { defaultSettings } from '../support/default-settings.ts';

const settings = {
  ...defaultSettings,
  initializeTimeoutMs: 20_000,
};

class Shaking {
  readonly clock = new FakeClock();
  readonly controller = new AbortController();
  outcome: HandshakeOutcome | undefined;

  constructor(isAnew: boolean) {
    const context = {
      url: new URL('https://service.example/mcp'),
      http: new HttpClient() as unknown as RealHttpClient,
      settings,
      clock: this.clock,
      observer: () => {},
      unsolicited: new Client(),
    };
    const initialize = requestOf('init', 'initialize', { protocolVersion: '2025-06-18', capabilities: {} });
    void handshakeInTime(context, initialize, this.controller.signal, isAnew).then(
      (outcome) => (this.outcome = outcome),
    );
  }

  get tries(): FakeHttpExchange[] {
    return network.exchanges.filter(({ message }) => message?.method === 'initialize');
  }

  /** The service answers this try with a session of this name. */
  async answer(index: number, session: string): Promise<void> {
    const exchange = this.tries[index]!;
    const result = { protocolVersion: '2025-06-18', capabilities: {} };
    const body = JSON.stringify({ jsonrpc: '2.0', id: exchange.message?.id, result });
    exchange.respond(200, { 'content-type': 'application/json', 'mcp-session-id': session }, body);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let n = 0; n < 4; n += 1) await settle();
  }

  get session(): unknown {
    return this.outcome?.kind === 'established' ? this.outcome.sessionId : this.outcome?.kind;
  }
}

/** Ids of the sessions that were ended. */
const ended = (): unknown[] =>
  network.exchanges
    .filter(({ request }) => request.method === 'DELETE')
    .map(({ request }) => request.headers['mcp-session-id']);

beforeEach(() => {
  network.reset();
  // Everything but `initialize` is taken at once.
  network.onExchange = (exchange) => {
    if (exchange.message?.method === 'initialize') exchange.start();
    else exchange.respond(202);
  };
});

describe('HS1 SE1 a first handshake', () => {
  test('is one, however slow the service is', async () => {
    const world = new Shaking(false);
    await world.clock.advance(15_000);
    expect(world.tries).toHaveLength(1);
    await world.answer(0, 'slow');
    expect(world.session).toBe('slow');
    expect([ended(), world.clock.pendingTimers]).toEqual([[], 0]);
  });

  test('fails when its time is up, and says how long that was', async () => {
    const world = new Shaking(false);
    await world.clock.advance(19_999);
    expect(world.outcome).toBeUndefined();
    await world.clock.advance(1);
    expect(world.outcome).toMatchObject({
      kind: 'failed',
      failure: { code: 'ERR_UPSTREAM_TIMEOUT', message: expect.stringContaining('20000 ms') },
    });
    expect(network.exchanges.every(({ isOver }) => isOver)).toBe(true);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('BR6 is never cancelled at the service', async () => {
    const world = new Shaking(false);
    await world.clock.advance(100);
    world.controller.abort({ kind: 'shutdown' });
    await world.settle();
    expect(world.outcome).toMatchObject({ kind: 'aborted' });
    expect(network.exchanges.map(({ message }) => message?.method)).toEqual(['initialize']);
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('RT6 SE4 a handshake anew, whose connection may be dead', () => {
  test('is one where the service answers', async () => {
    const world = new Shaking(true);
    await world.answer(0, 'a');
    await world.clock.advance(60_000);
    expect([world.session, world.tries.length, ended()]).toEqual(['a', 1, []]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('is joined by another while it is silent, and by two at most', async () => {
    const world = new Shaking(true);
    const counts: number[] = [];
    for (const ms of [1400, 200, 3200, 400, 14_000]) {
      await world.clock.advance(ms);
      counts.push(world.tries.length);
    }
    expect(counts).toEqual([1, 2, 2, 3, 3]);
  });

  test('takes the first session that it gets', async () => {
    const world = new Shaking(true);
    await world.clock.advance(2000);
    await world.answer(1, 'second');
    expect(world.session).toBe('second');
    expect(world.tries[0]?.isOver).toBe(true);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('goes on with the other where one breaks', async () => {
    const world = new Shaking(true);
    await world.clock.advance(2000);
    world.tries[0]?.fail('ECONNRESET');
    await world.settle();
    expect(world.outcome).toBeUndefined();
    await world.answer(1, 'second');
    expect(world.session).toBe('second');
  });

  test('fails where all break', async () => {
    const world = new Shaking(true);
    await world.clock.advance(2000);
    for (const exchange of world.tries) exchange.fail('ECONNRESET');
    await world.settle();
    expect(world.outcome).toMatchObject({ kind: 'failed', progress: 'unknown' });
    await world.clock.advance(60_000);
    expect([world.tries.length, world.clock.pendingTimers]).toEqual([2, 0]);
  });

  test('fails at once where the service refuses: the other would be refused too', async () => {
    const world = new Shaking(true);
    await world.clock.advance(2000);
    world.tries[1]?.respond(503);
    await world.settle();
    expect(world.outcome).toMatchObject({ kind: 'failed', failure: { code: 'ERR_UPSTREAM_BUSY' } });
    expect(world.tries[0]?.isOver).toBe(true);
  });

  test('SC4 gives back the session of a try that comes second', async () => {
    const world = new Shaking(true);
    await world.clock.advance(2000);
    // Both are answered before either has said that it is ready.
    const held: FakeHttpExchange[] = [];
    network.onExchange = (exchange) => {
      if (exchange.message?.method === 'notifications/initialized') held.push(exchange);
      else exchange.respond(202);
    };
    await world.answer(0, 'first');
    await world.answer(1, 'second');
    for (const exchange of held) {
      exchange.respond(202);
      await world.settle();
    }
    expect(world.session).toBe('first');
    await world.clock.advance(1000);
    expect(ended()).toEqual(['second']);
  });
});

const REFUSAL = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"No valid session ID"}}';

describe('HS2 an error of JSON-RPC in answer to `initialize`', () => {
  test.each([
    [200, 'rejected', undefined],
    [403, 'rejected', undefined],
    [422, 'rejected', undefined],
    [429, 'failed', 'ERR_UPSTREAM_BUSY'],
    [503, 'failed', 'ERR_UPSTREAM_BUSY'],
    [500, 'failed', 'ERR_UPSTREAM_HTTP_STATUS'],
    [502, 'failed', 'ERR_UPSTREAM_UNREACHABLE'],
  ])('under HTTP %i means that the handshake is %s (%s)', async (status, kind, code) => {
    const shaking = new Shaking(false);
    await shaking.settle();
    const body = JSON.stringify({ jsonrpc: '2.0', id: shaking.tries[0]?.message?.id, error: {} });
    shaking.tries[0]?.respond(status, { 'content-type': 'application/json' }, body);
    await shaking.settle();
    expect(shaking.outcome?.kind).toBe(kind);
    expect(shaking.outcome).toMatchObject(code === undefined ? {} : { failure: { code } });
  });
});

describe('SE1 `notifications/initialized`', () => {
  test.each([
    ['429', 429, '', 'ERR_UPSTREAM_BUSY'],
    ['500', 500, '', 'ERR_UPSTREAM_HTTP_STATUS'],
    ['404', 404, '', 'ERR_SESSION_LOST'],
    ['429 in JSON-RPC', 429, REFUSAL, 'ERR_UPSTREAM_BUSY'],
    ['503 in JSON-RPC', 503, REFUSAL, 'ERR_UPSTREAM_BUSY'],
  ])(
    'SC4 is refused with %s: the session is given back, and the wait kept',
    async (_what, status, body, code) => {
      const shaking = new Shaking(false);
      network.onExchange = (exchange) => {
        if (exchange.message?.method === 'notifications/initialized')
          exchange.respond(status, { 'content-type': 'application/json', 'retry-after': '7' }, body);
        else if (exchange.message?.method !== 'initialize') exchange.respond(200);
      };
      await shaking.settle();
      await shaking.answer(0, 'half');
      expect(shaking.outcome).toMatchObject({ kind: 'failed', failure: { code }, retryAfterMs: 7000 });
      expect(ended()).toEqual(['half']);
    },
  );

  test.each([400, 405])(
    'is of no use to a service that says %i, which takes calls all the same',
    async (status) => {
      const shaking = new Shaking(false);
      network.onExchange = (exchange) => {
        if (exchange.message?.method !== 'initialize') exchange.respond(status);
      };
      await shaking.settle();
      await shaking.answer(0, 'whole');
      expect([shaking.session, ended()]).toEqual(['whole', []]);
    },
  );
});

describe('BR12 a session with an id that cannot be sent back', () => {
  test.each([
    ['is none where the service asks for it', 'has spaces', 400, '', 'failed'],
    ['is none where it does so in JSON-RPC', 'has spaces', 400, REFUSAL, 'failed'],
    ['is one without an id where the service takes requests so', 'has spaces', 202, '', 'established'],
    ['is one without an id where that is empty', '', 400, '', 'established'],
  ])('%s', async (_what, id, status, body, kind) => {
    network.onExchange = (exchange) => {
      if (exchange.message?.method !== 'initialize')
        exchange.respond(status, { 'content-type': 'application/json' }, body);
    };
    const shaking = new Shaking(false);
    await shaking.settle();
    await shaking.answer(0, id);
    expect([shaking.outcome?.kind, shaking.session]).toEqual([kind, kind === 'failed' ? kind : undefined]);
  });
});
