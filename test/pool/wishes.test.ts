// Log levels and subscriptions of clients that share a session.
import { describe, expect, test, vi } from 'vitest';
import { messageOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { network } from '../support/fake-http.ts';
import { silent, status, unreachable } from '../upstream/fake-peer.ts';
import { PoolWorld, replyOf, type Asked, type PoolClient } from './pool-world.ts';

vi.mock('../../src/upstream/http.ts', () => import('../upstream/fake-pools.ts'));

async function sharing(): Promise<{ world: PoolWorld; one: PoolClient; two: PoolClient }> {
  const { world, clients } = await PoolWorld.sharing('one', 'two');
  return { world, one: clients[0]!, two: clients[1]! };
}

const level = (client: PoolClient, name: string): Asked => client.ask('logging/setLevel', { level: name });
const subscribe = (client: PoolClient, uri = 'file:///a'): Asked =>
  client.ask('resources/subscribe', { uri });
const unsubscribe = (client: PoolClient, uri = 'file:///a'): Asked =>
  client.ask('resources/unsubscribe', { uri });

async function inTurn(...steps: readonly (() => Asked | Promise<void>)[]): Promise<void> {
  for (const step of steps) {
    const asked = step();
    await settle();
    expect('pending' in asked ? replyOf(asked) : 'answer').toBe('answer');
  }
}

/** What the service is told when it has forgotten its sessions. */
async function restored(world: PoolWorld, by: PoolClient): Promise<string[]> {
  const before = world.sent.length;
  world.peer.forget();
  by.ask('tools/call');
  await world.clock.advance(500);
  return world.sent.slice(before).filter((what) => what !== 'tools/call');
}

describe('the log level at the service', () => {
  test('is the most verbose that any client wants', async () => {
    const { world, one, two } = await sharing();
    await inTurn(
      () => level(one, 'warning'),
      () => level(two, 'debug'),
      () => level(one, 'error'),
      () => level(two, 'notice'),
    );
    expect(world.sent).toEqual(
      ['warning', 'debug', 'debug', 'notice'].map((name) => `logging/setLevel ${name}`),
    );
    expect(await restored(world, one)).toEqual(['logging/setLevel notice']);
  });

  test('BR4 is sent as the client has written it, where it is alone with its wish', async () => {
    const { world, one } = await sharing();
    const text =
      '{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"x":1.50,"level":"\\u0069nfo"}}';
    const signal = new AbortController().signal;
    const sink = { deliver: () => {}, ready: () => undefined };
    await one.lease.call({ request: messageOf(text), sink, safety: 'safe' }, signal);
    const [sent] = network.exchanges.filter(({ message }) => message?.method === 'logging/setLevel');
    expect(sent?.request.body?.toString().replace(/"id":\d+/, '"id":1')).toBe(text);
    expect(world.sent).toEqual(['logging/setLevel info']);
  });

  test('goes back to that of those who stay when a client leaves', async () => {
    const { world, one, two } = await sharing();
    await inTurn(
      () => level(one, 'debug'),
      () => level(two, 'error'),
      () => one.leave(),
    );
    expect(world.sent.at(-1)).toBe('logging/setLevel error');
    expect(await restored(world, two)).toEqual(['logging/setLevel error']);
    await inTurn(() => two.leave());
    expect(world.sent.at(-1)).toBe('logging/setLevel info');
  });

  test('stays where it is when one leaves who wanted no more than others, or nothing', async () => {
    const { world, one, two } = await sharing();
    const three = world.client({ name: 'three' });
    await inTurn(
      () => level(one, 'debug'),
      () => level(two, 'error'),
      () => two.leave(),
      () => three.leave(),
    );
    expect(world.sent).toEqual(['logging/setLevel debug', 'logging/setLevel debug']);
  });

  test('is not what the service has refused', async () => {
    const { world, one, two } = await sharing();
    await inTurn(() => level(one, 'error'));
    world.peer.onCall = status(500);
    const refused = level(two, 'debug');
    await world.clock.advance(10_000);
    expect(replyOf(refused)).toMatch(/^ERR_UPSTREAM/);
    world.peer.onCall = undefined;
    await inTurn(() => level(one, 'warning'));
    expect(world.sent.at(-1)).toBe('logging/setLevel warning');
  });

  test('is asked for in turns, so that no wish overtakes another on its way', async () => {
    const { world, one, two } = await sharing();
    world.peer.onCall = silent;
    level(one, 'error');
    level(two, 'debug');
    await settle();
    expect(world.sent).toEqual(['logging/setLevel error']);
    world.peer.onCall = undefined;
    world.peer.answer(world.peer.waiting[0]!);
    await settle();
    expect(world.sent).toEqual(['logging/setLevel error', 'logging/setLevel debug']);
  });

  test('that is none at all goes to the service, which is to say so', async () => {
    const { world, one } = await sharing();
    await inTurn(
      () => level(one, 'loud'),
      () => one.ask('logging/setLevel', {}),
      () => one.ask('logging/setLevel', { level: 5 }),
    );
    expect(world.sent).toHaveLength(3);
  });
});

describe('a subscription', () => {
  test('lasts until the last client who wants it ends it', async () => {
    const { world, one, two } = await sharing();
    await inTurn(
      () => subscribe(one),
      () => subscribe(two),
      () => unsubscribe(one),
    );
    expect(world.sent).toEqual(['resources/subscribe file:///a', 'resources/subscribe file:///a']);
    await world.say('notifications/resources/updated', { uri: 'file:///a' });
    expect([one.heard, two.heard]).toEqual([[], ['resources/updated file:///a']]);
    expect(await restored(world, one)).toEqual(['resources/subscribe file:///a']);
    await inTurn(() => unsubscribe(two));
    expect(world.sent.at(-1)).toBe('resources/unsubscribe file:///a');
    expect(await restored(world, one)).toEqual([]);
  });

  test('is ended at the service when the last one who wants it leaves, and not before', async () => {
    const { world, one, two } = await sharing();
    await inTurn(
      () => subscribe(one),
      () => subscribe(one, 'file:///b'),
      () => subscribe(two),
      () => one.leave(),
    );
    expect(world.sent.slice(3)).toEqual(['resources/unsubscribe file:///b']);
    expect(await restored(world, two)).toEqual(['resources/subscribe file:///a']);
    await inTurn(() => two.leave());
    expect(world.sent.at(-1)).toBe('resources/unsubscribe file:///a');
  });

  test('SE5 is not brought to a new session when its client has left while the service was away', async () => {
    const { world, one, two } = await sharing();
    await inTurn(
      () => subscribe(one),
      () => subscribe(two, 'file:///b'),
      () => level(one, 'debug'),
      () => level(two, 'error'),
    );
    world.peer.path = unreachable;
    two.ask('tools/call');
    await world.clock.advance(500);
    await one.leave();
    world.peer.path = undefined;
    world.peer.forget();
    const before = world.sent.length;
    await world.clock.advance(10_000);
    expect(two.state).toBe('READY');
    const again = world.sent.slice(before).filter((what) => what !== 'tools/call');
    expect(again).toEqual(['logging/setLevel error', 'resources/subscribe file:///b']);
  });

  test('that is asked for while another is being ended is there in the end', async () => {
    const { world, one, two } = await sharing();
    await inTurn(() => subscribe(one));
    world.peer.onCall = silent;
    unsubscribe(one);
    await settle();
    const asked = subscribe(two);
    await settle();
    expect(world.sent).toEqual(['resources/subscribe file:///a', 'resources/unsubscribe file:///a']);
    world.peer.onCall = undefined;
    world.peer.answer(world.peer.waiting[0]!);
    await settle();
    expect([replyOf(asked), world.sent.at(-1)]).toEqual(['answer', 'resources/subscribe file:///a']);
    expect(await restored(world, two)).toEqual(['resources/subscribe file:///a']);
  });

  test('that is asked for while those of a client that has left are being ended stays', async () => {
    const { world, one, two } = await sharing();
    const uris = Array.from({ length: 20 }, (_, n) => `x:${n}`);
    await inTurn(...uris.map((uri) => () => subscribe(one, uri)));
    world.peer.onCall = silent;
    await one.leave();
    await settle();
    // A few at a time.
    expect(world.peer.waiting).toHaveLength(8);
    world.peer.onCall = undefined;
    const asked = uris.map((uri) => subscribe(two, uri));
    for (const exchange of world.peer.waiting) world.peer.answer(exchange);
    await settle();
    expect(asked.map(replyOf)).toEqual(uris.map(() => 'answer'));
    for (const uri of uris)
      expect(world.sent.findLast((what) => what.endsWith(` ${uri}`))).toBe(`resources/subscribe ${uri}`);
    expect(await restored(world, two)).toHaveLength(20);
  });

  test('that is cancelled before its turn is never sent', async () => {
    const { world, one, two } = await sharing();
    world.peer.onCall = silent;
    subscribe(one);
    const second = subscribe(two);
    await settle();
    second.pending.withdraw({ kind: 'shutdown' });
    await settle();
    expect(replyOf(second)).toBe('ERR_BRIDGE_SHUTDOWN');
    world.peer.answer(world.peer.waiting[0]!);
    await settle();
    expect(world.sent).toEqual(['resources/subscribe file:///a']);
  });

  test('that was on its way when its client left is ended too', async () => {
    const { world, one } = await sharing();
    world.peer.onCall = silent;
    subscribe(one);
    await settle();
    world.peer.onCall = undefined;
    await one.leave();
    await settle();
    expect(world.sent.filter((what) => what.startsWith('resources/'))).toEqual([
      'resources/subscribe file:///a',
      'resources/unsubscribe file:///a',
    ]);
  });

  test('that the service refuses is none', async () => {
    const { world, one, two } = await sharing();
    world.peer.onCall = status(500);
    subscribe(one);
    await world.clock.advance(10_000);
    world.peer.onCall = undefined;
    await inTurn(() => subscribe(two, 'file:///b'));
    await world.say('notifications/resources/updated', { uri: 'file:///a' });
    expect([one.heard, two.heard]).toEqual([[], ['resources/updated file:///a']]);
  });
});
