// Clients on one session under random interleavings of all that they, the service and the clock can do: everybody gets the
// answers to their own requests, hears what concerns them, and one who leaves takes nobody along.
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import type { FakeHttpExchange } from '../support/fake-http.ts';
import { messageOf } from '../support/envelopes.ts';
import { silent } from '../upstream/fake-peer.ts';
import { PoolWorld, replyOf, resultOf, type Asked, type PoolClient } from './pool-world.ts';

vi.mock('../../src/upstream/http.ts', () => import('../upstream/fake-pools.ts'));

const NAMES = ['a', 'b', 'c'];
const URIS = ['x:1', 'x:2'];
const LEVELS = ['debug', 'warning', 'error'];

const DEEDS = [
  'calls',
  'calls',
  'reads',
  'cancels',
  'subscribes',
  'unsubscribes',
  'sets a level',
  'leaves',
  'comes back',
  'is answered',
  'is answered',
  'is told of progress',
  'hears of a resource',
  'hears a log message',
  'loses its session',
  'waits',
  'waits long',
] as const;
const CHANGE = /subscribe|setLevel/;
type Step = readonly [(typeof DEEDS)[number], number, number];

const steps = fc.array(fc.tuple(fc.constantFrom(...DEEDS), fc.nat(2), fc.nat(9)), {
  minLength: 20,
  maxLength: 80,
});

/** The service's own account of what it was told, per session. */
class Account {
  level: string | undefined;
  readonly uris = new Set<string>();

  note({ method, params }: NonNullable<FakeHttpExchange['message']>): void {
    const { uri = '', level } = { ...params } as { uri?: string; level?: string };
    if (method === 'logging/setLevel') this.level = level;
    if (method === 'resources/subscribe') this.uris.add(uri);
    if (method === 'resources/unsubscribe') this.uris.delete(uri);
  }
}

class Sharing {
  readonly world = new PoolWorld();
  /** In their places; one who has left stays there until another comes. */
  readonly clients: PoolClient[];
  readonly everyone: PoolClient[] = [];
  readonly gone = new Set<PoolClient>();
  readonly cancelled = new Set<Asked>();
  /** What each client wants, as the client knows it. */
  readonly wants = new Map<PoolClient, { level: string | undefined; uris: Set<string> }>();
  readonly accounts = new Map<string, Account>();
  readonly complaints: string[] = [];
  /** Of long waits, in milliseconds: with more, calls would reach their deadlines before they are answered. */
  #leftMs = 21_000;

  constructor() {
    const { peer } = this.world;
    peer.onCall = (exchange) => {
      const { message, request } = exchange;
      if (message?.method === 'tools/call' || message?.method === 'resources/read') return silent(exchange);
      const session = request.headers['mcp-session-id'] ?? '';
      const account = this.accounts.get(session) ?? new Account();
      this.accounts.set(session, account);
      if (message !== undefined) account.note(message);
      return peer.answer(exchange);
    };
    this.clients = NAMES.map((name) => this.#come(name));
  }

  #come(name: string): PoolClient {
    const client = this.world.client({ name });
    this.everyone.push(client);
    this.wants.set(client, { level: undefined, uris: new Set() });
    return client;
  }

  async run(all: readonly Step[]): Promise<void> {
    await settle();
    for (const step of all) {
      await this.#take(step);
      await settle();
    }
  }

  async #take([deed, who, n]: Step): Promise<void> {
    const { world } = this;
    const client = this.clients[who]!;
    const isHere = !this.gone.has(client);
    const wants = this.wants.get(client)!;
    const uri = URIS[n % URIS.length]!;
    const waiting = client.asked.filter((asked) => replyOf(asked) === 'none yet');
    // Of two changes of its own that are under way at once, a client cannot know which comes first.
    const mayChange = isHere && !waiting.some(({ pending }) => CHANGE.test(pending.message.method));
    const one = waiting[n % Math.max(1, waiting.length)];
    switch (deed) {
      case 'calls':
        if (isHere) client.ask('tools/call');
        return;
      case 'reads':
        if (isHere) client.ask('resources/read', {}, 'safe');
        return;
      case 'cancels': {
        if (one === undefined) return;
        const id = Number(one.key.slice(2));
        const params = { requestId: id };
        this.cancelled.add(one);
        one.pending.withdraw({
          kind: 'cancelled',
          message: messageOf({ jsonrpc: '2.0', method: 'notifications/cancelled', params }),
        });
        return;
      }
      case 'subscribes':
        if (!mayChange) return;
        wants.uris.add(uri);
        client.ask('resources/subscribe', { uri }, 'safe');
        return;
      case 'unsubscribes':
        if (!mayChange) return;
        wants.uris.delete(uri);
        client.ask('resources/unsubscribe', { uri }, 'safe');
        return;
      case 'sets a level':
        if (!mayChange) return;
        wants.level = LEVELS[n % LEVELS.length]!;
        client.ask('logging/setLevel', { level: wants.level }, 'safe');
        return;
      case 'leaves':
        if (!isHere) return;
        this.gone.add(client);
        return client.leave();
      case 'comes back':
        if (!isHere) this.clients[who] = this.#come(client.name);
        return;
      case 'is answered': {
        const exchange = this.#waitingAtService()[n];
        if (exchange !== undefined) world.peer.answer(exchange, { to: exchange.message?.params?.['key'] });
        return;
      }
      case 'is told of progress': {
        const exchange = this.#waitingAtService()[n];
        if (exchange === undefined) return;
        const params = { progressToken: exchange.message?.id, of: exchange.message?.params?.['key'] };
        const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params });
        exchange.headers(200, { 'content-type': 'text/event-stream' }).data(`data: ${text}\n\n`);
        return;
      }
      case 'hears of a resource':
        return this.#say('notifications/resources/updated', { uri }, (each) => each.uris.has(uri));
      case 'hears a log message': {
        const level = LEVELS[n % LEVELS.length]!;
        const isWanted = ({ level: own = 'info' }): boolean =>
          LEVELS.indexOf(level) >= (own === 'info' ? 1 : LEVELS.indexOf(own));
        const isSet = [...world.peer.known].some((id) => this.accounts.get(id)?.level !== undefined);
        return this.#say('notifications/message', { level }, (each) => !isSet || isWanted(each));
      }
      case 'loses its session':
        world.peer.forget();
        return;
      case 'waits':
        return world.clock.advance(300);
      case 'waits long':
        if (this.#leftMs === 0) return;
        this.#leftMs -= 3000;
        return world.clock.advance(3000);
    }
  }

  #waitingAtService(): FakeHttpExchange[] {
    return this.world.peer.waiting.filter(
      ({ isOver, message }) => !isOver && message?.params?.['key'] !== undefined,
    );
  }

  /** A message on the service's stream, while nothing that decides who hears it is under way. */
  async #say(
    method: string,
    params: object,
    isFor: (wants: { level: string | undefined; uris: ReadonlySet<string> }) => boolean,
  ): Promise<void> {
    const here = this.clients.filter((client) => !this.gone.has(client));
    const isQuiet = here.every(({ state, asked }) => {
      const changes = asked.filter(({ pending }) => CHANGE.test(pending.message.method));
      return state === 'READY' && changes.every((each) => replyOf(each) === 'answer');
    });
    // A request on a session of its own may be all that the service knows: what it says there is for nobody else.
    const isApart = here.some(({ asked }) =>
      asked.some((each) => each.pending.route === 'per-request' && replyOf(each) === 'none yet'),
    );
    if (!isQuiet || isApart || this.world.peer.known.size !== 1 || here.length === 0) return;
    if ('uri' in params && !here.some((client) => isFor(this.wants.get(client)!))) return;
    const before = new Map(this.everyone.map((client) => [client, client.heard.length]));
    await this.world.say(method, params);
    for (const client of this.everyone) {
      const heard = client.heard.length - before.get(client)!;
      const due = here.includes(client) && isFor(this.wants.get(client)!) ? 1 : 0;
      if (heard !== due) this.complaints.push(`${client.name} heard ${method} ${heard} times, not ${due}`);
    }
  }

  /** Answers all that still waits, and lets every deadline pass. */
  async finish(): Promise<void> {
    for (let n = 0; n < 5; n += 1) {
      for (const exchange of this.#waitingAtService())
        this.world.peer.answer(exchange, { to: exchange.message?.params?.['key'] });
      await this.world.clock.advance(10_000);
    }
  }

  judge(): string[] {
    const found = [...this.complaints];
    for (const client of this.everyone) {
      for (const asked of client.asked) {
        const { method } = asked.pending.message;
        const reply = replyOf(asked);
        const mayFail = this.gone.has(client) || this.cancelled.has(asked);
        if (reply === 'none yet') found.push(`${asked.key} (${method}) got no reply`);
        else if (reply !== 'answer' && !mayFail) found.push(`${asked.key} (${method}) got ${reply}`);
        const to = (resultOf(asked) as { to?: string } | undefined)?.to;
        if (to !== undefined && to !== asked.key) found.push(`${asked.key} got the answer to ${to}`);
      }
      // Each client's token is the number of the request in its key, so a progress of another's would show.
      for (const heard of client.heardInCalls) {
        const token = Number(/^progress (\d+)$/.exec(heard)?.[1] ?? 0);
        if (token < 1 || token > client.asked.length) found.push(`${client.name} was told ${heard}`);
      }
    }
    const here = this.clients.filter((client) => !this.gone.has(client));
    const [current, ...more] = this.world.peer.known;
    if (more.length > 0) found.push(`${more.length + 1} sessions`);
    const account = current === undefined ? undefined : this.accounts.get(current);
    // A session that was forgotten and not used since is not known to be lost.
    if (account === undefined || here.length === 0) return found;
    const wanted = new Set(here.flatMap((client) => [...this.wants.get(client)!.uris]));
    const undecided = [...this.cancelled].some(({ pending }) => CHANGE.test(pending.message.method));
    if (!undecided && [...wanted].toSorted().join() !== [...account.uris].toSorted().join())
      found.push(`subscribed to ${[...account.uris].join()}, but wanted is ${[...wanted].join()}`);
    return found;
  }
}

describe('DM2 BR3 SC4 clients that share a session', () => {
  test('are never mixed up', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const sharing = new Sharing();
        await sharing.run(all);
        await sharing.finish();
        expect(sharing.judge()).toEqual([]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  test('have no more sessions than are allowed, whoever comes and goes', async () => {
    const visit = fc.tuple(fc.nat(5), fc.boolean(), fc.constantFrom(0, 0, 50, 400, 3000));
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { minLength: 5, maxLength: 25 }), async (visits) => {
        const world = new PoolWorld({ maxSessionsPerProfile: 2 });
        const here: PoolClient[] = [];
        for (const [n, leaves, ms] of visits) {
          here.push(world.client({ name: `c${n}`, params: { capabilities: { experimental: { n } } } }));
          if (leaves) void here.splice(n % here.length, 1)[0]!.leave();
          await world.clock.advance(ms);
          expect(world.pool.stats().sessions.length).toBeLessThanOrEqual(2);
        }
        await world.clock.advance(20_000);
        const { sessions, perRequestLeases } = world.pool.stats();
        expect(world.peer.known.size).toBe(sessions.length);
        expect(sessions.reduce((sum, { leases }) => sum + leases, perRequestLeases)).toBe(here.length);
        const asked = here.map((client) => client.ask('tools/call'));
        await world.clock.advance(5000);
        expect(asked.map(replyOf)).toEqual(asked.map(() => 'answer'));
        // Nobody goes without a session while one is only kept warm.
        const spare = sessions.filter(({ leases }) => leases === 0).length;
        expect(Math.min(spare, perRequestLeases)).toBe(0);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
