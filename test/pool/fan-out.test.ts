// Who hears what a shared session says, and who is asked.
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { network, type FakeHttpExchange } from '../support/fake-http.ts';
import { silent } from '../upstream/fake-peer.ts';
import { PoolWorld, replyOf, resultOf, type Asked, type PoolClient } from './pool-world.ts';

vi.mock('../../src/upstream/http.ts', () => import('../upstream/fake-pools.ts'));

async function sharing(
  ...names: readonly string[]
): Promise<{ world: PoolWorld; one: PoolClient; two: PoolClient }> {
  const { world, clients } = await PoolWorld.sharing(...(names.length === 0 ? ['one', 'two'] : names));
  return { world, one: clients[0]!, two: clients[1]! };
}

async function granted(asked: Asked): Promise<void> {
  await settle();
  expect(replyOf(asked)).toBe('answer');
}

/** Begins the call's answer as a stream, with this message on it. */
async function stream(exchange: FakeHttpExchange, method: string, params: object = {}): Promise<void> {
  exchange.headers(200, { 'content-type': 'text/event-stream' });
  exchange.data(`data: ${JSON.stringify({ jsonrpc: '2.0', method, params })}\n\n`);
  await settle();
}

describe('BR5 what the service says outside of calls', () => {
  test.each(['tools/list_changed', 'prompts/list_changed', 'resources/list_changed', 'something/of-its-own'])(
    'is for all: %s',
    async (what) => {
      const { world, one, two } = await sharing();
      await world.say(`notifications/${what}`);
      expect([one.heard, two.heard]).toEqual([[what], [what]]);
    },
  );

  test('about a resource is for those who have subscribed to it, or to what it is a part of', async () => {
    const { world, one, two } = await sharing();
    await granted(one.ask('resources/subscribe', { uri: 'file:///a' }));
    await granted(two.ask('resources/subscribe', { uri: 'file:///b' }));
    for (const uri of ['file:///a', 'file:///b', 'file:///b/part', 'file:///\\u0061'.replace('\\u0061', 'a')])
      await world.say('notifications/resources/updated', { uri });
    expect(one.heard).toEqual(['resources/updated file:///a', 'resources/updated file:///a']);
    expect(two.heard).toEqual(['resources/updated file:///b', 'resources/updated file:///b/part']);
  });

  test('about a resource that nobody has asked for is for all who have subscribed to any, or else for all', async () => {
    const { world, one, two } = await sharing();
    await world.say('notifications/resources/updated', { uri: 'x:1' });
    expect([one.heard.length, two.heard.length]).toEqual([1, 1]);
    await granted(one.ask('resources/subscribe', { uri: 'file:///a' }));
    await world.say('notifications/resources/updated', { uri: 'x:1' });
    expect([one.heard.length, two.heard.length]).toEqual([2, 1]);
  });

  test('to its log is for each at the level that the client has set', async () => {
    const { world, one, two } = await sharing();
    await world.say('notifications/message', { level: 'debug', data: 0 });
    await granted(one.ask('logging/setLevel', { level: 'debug' }));
    await granted(two.ask('logging/setLevel', { level: 'error' }));
    const three = world.client({ name: 'three' });
    for (const level of ['debug', 'info', 'error', 'emergency', 'odd'])
      await world.say('notifications/message', { level, data: 1 });
    expect(one.heard).toEqual(
      ['debug', 'debug', 'info', 'error', 'emergency', 'odd'].map((l) => `message ${l}`),
    );
    expect(two.heard).toEqual(['debug', 'error', 'emergency', 'odd'].map((l) => `message ${l}`));
    // It has set none, so it hears what is usual.
    expect(three.heard).toEqual(['info', 'error', 'emergency', 'odd'].map((l) => `message ${l}`));
  });
});

describe('BR7 what comes with a call', () => {
  test('is for the client that has made it', async () => {
    const { world, one, two } = await sharing();
    world.peer.onCall = silent;
    const asked = [one.ask('tools/call'), two.ask('tools/call')];
    await settle();
    const ids = asked.map((each) => world.callOf(each).message?.id);
    expect(new Set(ids).size).toBe(2);
    for (const [n, each] of asked.entries())
      await stream(world.callOf(each), 'notifications/progress', { progressToken: ids[n], progress: n });
    // Each has its own token back, which is the same for both.
    expect([one.heardInCalls, two.heardInCalls]).toEqual([['progress 1'], ['progress 1']]);
    await stream(world.callOf(asked[0]!), 'notifications/message', { level: 'info' });
    expect([one.heardInCalls.length, two.heardInCalls.length]).toEqual([2, 1]);
    expect([one.heard, two.heard]).toEqual([[], []]);
  });

  test('is not for one who wants less of the log than another', async () => {
    const { world, one, two } = await sharing();
    await granted(one.ask('logging/setLevel', { level: 'error' }));
    await granted(two.ask('logging/setLevel', { level: 'debug' }));
    world.peer.onCall = silent;
    const asked = one.ask('tools/call');
    await settle();
    await stream(world.callOf(asked), 'notifications/message', { level: 'debug' });
    await stream(world.callOf(asked), 'notifications/message', { level: 'error' });
    expect(one.heardInCalls).toEqual(['message error']);
  });

  test('is for the others too where it concerns them', async () => {
    const { world, one, two } = await sharing('one', 'two');
    const three = world.client({ name: 'three' });
    await granted(two.ask('resources/subscribe', { uri: 'file:///a' }));
    world.peer.onCall = silent;
    const asked = one.ask('tools/call');
    await settle();
    await stream(world.callOf(asked), 'notifications/tools/list_changed');
    await stream(world.callOf(asked), 'notifications/resources/updated', { uri: 'file:///a' });
    expect(one.heardInCalls).toEqual(['tools/list_changed', 'resources/updated file:///a']);
    expect(two.heard).toEqual(['tools/list_changed', 'resources/updated file:///a']);
    expect([one.heard, three.heard]).toEqual([[], ['tools/list_changed']]);
  });
});

test.each(['prompts', 'resources'])('BR5 a call that changes the %s is told of to all', async (what) => {
  const { world, one, two } = await sharing();
  world.peer.onCall = silent;
  const asked = one.ask('tools/call');
  await settle();
  await stream(world.callOf(asked), `notifications/${what}/list_changed`);
  expect([one.heardInCalls, one.heard, two.heard]).toEqual([
    [`${what}/list_changed`],
    [],
    [`${what}/list_changed`],
  ]);
});

describe('BR5 what the service asks outside of calls', () => {
  test('is asked of one client, the one that was active last', async () => {
    const { world, one, two } = await sharing();
    await granted(two.ask('tools/call'));
    await granted(one.ask('tools/call'));
    await world.say('roots/list', {}, 7);
    await two.lease.notify(
      Buffer.from('{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}'),
      new AbortController().signal,
    );
    await world.say('roots/list', {}, 8);
    expect([one.heard, two.heard]).toEqual([['roots/list'], ['roots/list']]);
    expect(world.sent).toContain('notifications/roots/list_changed');
  });

  test('goes to another when that one has left', async () => {
    const { world, one, two } = await sharing();
    await granted(two.ask('tools/call'));
    await two.leave();
    await world.say('roots/list', {}, 7);
    expect([one.heard, two.heard]).toEqual([['roots/list'], []]);
  });

  test('is refused at once where nobody is left to answer', async () => {
    const { world, one, two } = await sharing();
    await Promise.all([one.leave(), two.leave()]);
    await world.say('elicitation/create', {}, 7);
    const answer = world.messages.find((message) => message.id === 7);
    expect(answer).toMatchObject({ error: { data: { code: 'ERR_BRIDGE_SHUTDOWN' } } });
  });

  test('BR6 is cancelled by a message that all get, as only one of them knows what it is about', async () => {
    const { world, one, two } = await sharing();
    await world.say('notifications/cancelled', { requestId: 7 });
    expect([one.heard, two.heard]).toEqual([['cancelled 7'], ['cancelled 7']]);
    world.peer.onCall = silent;
    const asked = one.ask('tools/call');
    await settle();
    await stream(world.callOf(asked), 'notifications/cancelled', { requestId: 8 });
    expect([one.heardInCalls, two.heard.at(-1)]).toEqual([['cancelled 8'], 'cancelled 8']);
  });
});

describe('SC4 a client that does not read', () => {
  test('is passed over after a second, and gets the latest of each kind when it reads again', async () => {
    const { world, one, two } = await sharing();
    const { promise, resolve } = Promise.withResolvers<void>();
    one.behind = promise;
    await world.say('notifications/tools/list_changed');
    await world.clock.advance(1000);
    const before = one.heard.length;
    for (let n = 0; n < 5; n += 1) await world.say('notifications/tools/list_changed');
    await world.say('notifications/prompts/list_changed');
    await world.say('notifications/message', { level: 'info' });
    one.ask('tools/call');
    await world.say('roots/list', {}, 9);
    expect(two.heard.slice(-2)).toEqual(['message info', 'roots/list']);
    expect(one.heard).toHaveLength(before);
    one.behind = undefined;
    resolve();
    await settle();
    expect(one.heard.slice(before).toSorted()).toEqual(['prompts/list_changed', 'tools/list_changed']);
    await world.say('notifications/tools/list_changed');
    expect(one.heard).toHaveLength(before + 3);
    expect(world.told.filter(({ event }) => event.type === 'upstream.dropped')).toHaveLength(1);
  });

  test('costs bounded memory', async () => {
    const { world, one } = await sharing();
    await granted(one.ask('resources/subscribe', { uri: 'x:' }));
    const { promise, resolve } = Promise.withResolvers<void>();
    one.behind = promise;
    await world.say('notifications/tools/list_changed');
    await world.clock.advance(1000);
    for (let n = 0; n < 1000; n += 1)
      world.peer.streams[0]!.data(
        `data: {"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:${n}"}}\n\n`,
      );
    await settle();
    one.behind = undefined;
    resolve();
    await settle();
    expect(one.heard.length).toBeGreaterThan(200);
    expect(one.heard.length).toBeLessThan(300);
  });
});

test('BR3 answers reach the client that has asked, though all ids are the same', async () => {
  const { world, one, two } = await sharing();
  world.peer.onCall = silent;
  const asked = [one.ask('tools/call'), two.ask('tools/call'), two.ask('tools/call'), one.ask('tools/call')];
  await settle();
  for (const each of asked.toReversed()) world.peer.answer(world.callOf(each), { to: each.key });
  await settle();
  expect(asked.map(resultOf)).toEqual(asked.map(({ key }) => ({ to: key })));
  expect(network.exchanges.filter(({ message }) => message?.method === 'initialize')).toHaveLength(1);
});
