// The session's own life: health, loss, restoring, idleness and sleep, through the real program.
import { describe, expect, test } from 'vitest';
import { hang } from '../../support/scripted-service.ts';
import { eventually, sleep } from './eventually.ts';
import { joined, World } from './world.ts';
import { fairMs } from '../../support/fair-time.ts';

const debug = ['--log-level', 'debug'];

describe.concurrent('the session', { timeout: 60_000 }, () => {
  test('SE3 is asked whether it is well after each interval without traffic, and counts it', async ({
    expect,
  }) => {
    await using world = await World.open({ args: ['--health-interval-ms', '1000', ...debug] });
    const { service, bridge } = world;
    await service.until(() => service.record.of('ping').length >= 3, 20_000);
    await eventually(() => (bridge.log.match(/session\.health well/g) ?? []).length >= 3);
    const [first, second, third] = service.record.of('ping').map(({ at }) => at);
    expect(second! - first!).toBeGreaterThan(450);
    expect(third! - second!).toBeGreaterThan(450);
    expect(service.record.handshakes).toBe(1);
  });

  test('SE3 is not asked while requests show that it is well', async ({ expect }) => {
    await using world = await World.open({ args: ['--health-interval-ms', '1500'] });
    for (let n = 0; n < 8; n += 1) {
      await world.send('read').reply;
      await sleep(400);
    }
    expect(world.service.record.of('ping')).toEqual([]);
  });

  test('SE3 is taken out of READY after two pings without an answer, and back when one comes', async ({
    expect,
  }) => {
    await using world = await World.open({ args: ['--health-interval-ms', '500'] });
    const { service, bridge } = world;
    const rule = service.always({ rpc: 'ping' }, hang);
    await eventually(() => /READY[^]*session\.state CONNECTING/.test(bridge.log));
    expect(rule.hits).toBeGreaterThanOrEqual(2);
    rule.remove();
    expect(await world.send('read').reply).toHaveProperty('result');
    expect(service.record.handshakes).toBe(1);
  });

  test('SE3 a session that turns out to be gone at a ping is replaced before anybody asks', async ({
    expect,
  }) => {
    await using world = await World.open({
      service: { getStream: false },
      args: ['--health-interval-ms', '500'],
    });
    world.service.forgetSessions();
    await world.service.until(() => world.service.record.handshakes === 2, 10_000);
    expect(await world.send('write').reply).toHaveProperty('result');
    expect(world.service.record.handshakes).toBe(2);
  });

  test('SE4 one handshake serves 100 requests that lose the session together', async ({ expect }) => {
    await using world = await World.open();
    world.service.forgetSessions();
    const requests = Array.from({ length: 100 }, (_, n) => world.send(n % 2 === 0 ? 'read' : 'write'));
    const replies = await Promise.all(requests.map(({ reply }) => reply));
    expect(replies.filter(({ result }) => result === undefined)).toEqual([]);
    // A read that is slow to be answered may be asked once more.
    const runs = requests.map((each) => [each.kind, world.executions(each)]);
    expect(runs.filter(([kind, times]) => times === 0 || (kind === 'write' && times !== 1))).toEqual([]);
    expect(world.service.record.handshakes).toBeGreaterThanOrEqual(2);
    expect(world.service.record.handshakes).toBeLessThanOrEqual(2 + joined(world));
  });

  test('SE5 what belonged to the old session is restored on the new one, and the client told to look again', async ({
    expect,
  }) => {
    await using world = await World.open();
    const { service, bridge } = world;
    await bridge.request('logging/setLevel', { level: 'warning' });
    await bridge.request('resources/subscribe', { uri: 'scripted://one' });
    await bridge.request('resources/subscribe', { uri: 'scripted://two' });
    await bridge.request('resources/unsubscribe', { uri: 'scripted://two' });
    const before = service.record.requests.length;
    service.forgetSessions();
    await world.send('read').reply;
    await service.until(() =>
      service.record.requests.some(({ index, key }) => index >= before && key !== undefined),
    );
    const again = service.record.requests
      .slice(before)
      .filter(({ http, rpc }) => http === 'POST' && rpc !== undefined)
      .map(({ rpc, messages }) => [rpc, messages[0]?.params?.['level'] ?? messages[0]?.params?.['uri']]);
    expect(again).toContainEqual(['initialize', undefined]);
    expect(again).toContainEqual(['notifications/initialized', undefined]);
    expect(again).toContainEqual(['logging/setLevel', 'warning']);
    expect(again).toContainEqual(['resources/subscribe', 'scripted://one']);
    expect(again).not.toContainEqual(['resources/subscribe', 'scripted://two']);
    for (const what of ['tools', 'prompts', 'resources'])
      await bridge.next(({ method }) => method === `notifications/${what}/list_changed`);
    const initializes = service.record.of('initialize').map(({ messages }) => messages[0]!.params);
    expect(initializes[1]).toEqual(initializes[0]);
    // The subscription works: what the service says now arrives.
    await service.until(() => service.openGetStreams === 1);
    service.notify('notifications/resources/updated', { uri: 'scripted://one' });
    await bridge.next(({ method }) => method === 'notifications/resources/updated');
  });

  test('SE6 the GET stream goes on from the last event that came, again and again', async ({ expect }) => {
    await using world = await World.open();
    const { service, bridge } = world;
    const heard = (n: number): Promise<unknown> =>
      bridge.next(
        ({ method, params }) => method === 'notifications/message' && params?.['data'] === n,
        40_000,
      );
    const say = (n: number): number => service.notify('notifications/message', { level: 'info', data: n });
    for (let n = 0; n < 6; n += 2) {
      say(n);
      await heard(n);
      service.cutGetStreams();
      // Said while nobody listens: it comes with the stream that goes on.
      say(n + 1);
      await heard(n + 1);
    }
    const data = bridge.messages.map(({ params }) => params?.['data']).filter((each) => each !== undefined);
    expect(data).toEqual([0, 1, 2, 3, 4, 5]);
    const gets = service.record.by('GET').map(({ headers }) => headers['last-event-id']);
    expect(gets[0]).toBeUndefined();
    expect(gets.slice(1).every((id) => typeof id === 'string')).toBe(true);
    expect(service.record.handshakes).toBe(1);
  });

  test('SE6 405 means that no GET stream is offered, and is not asked again', async ({ expect }) => {
    await using world = await World.open({ service: { getStream: false } });
    await sleep(2500);
    expect(await world.send('read').reply).toHaveProperty('result');
    expect(world.service.record.by('GET')).toHaveLength(1);
  });

  test('SE8 an unused session is given back, and the next request brings one', async ({ expect }) => {
    await using world = await World.open({ args: ['--idle-timeout-ms', '1000'] });
    const { service, bridge } = world;
    await service.until(() => service.record.deleted.length === 1, 10_000);
    await eventually(() => bridge.log.includes('session.state IDLE'));
    expect(service.sessionCount).toBe(0);
    expect(await world.send('write').reply).toHaveProperty('result');
    expect(service.record.handshakes).toBe(2);
    expect(bridge.messages.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  // Known failure 3.
  test('SE8 the sockets of an unused session are closed with it', async ({ expect }) => {
    await using world = await World.open({ args: ['--idle-timeout-ms', '1000'] });
    await world.service.until(() => world.service.record.deleted.length === 1, 10_000);
    await world.service.until(() => world.service.openSockets === 0, 3000);
    expect(world.service.openSockets).toBe(0);
  });

  test('SE8 subscriptions keep the session, which would lose what they are for', async ({ expect }) => {
    await using world = await World.open({ args: ['--idle-timeout-ms', '1000'] });
    await world.bridge.request('resources/subscribe', { uri: 'scripted://one' });
    await sleep(2500);
    expect(world.service.record.deleted).toEqual([]);
    expect(world.service.openGetStreams).toBe(1);
  });

  test.skipIf(process.platform === 'win32')(
    'SE7 after sleep the session is checked at once, on a new connection',
    async ({ expect }) => {
      await using world = await World.open({ args: debug });
      const { service, bridge } = world;
      const before = service.socketsOpened;
      const owner = bridge.ownerPid;
      process.kill(owner, 'SIGSTOP');
      // Bytes vanished meanwhile, as they do when the path is gone for long.
      service.blackHole('serve');
      await sleep(16_000);
      process.kill(owner, 'SIGCONT');
      const wokeAt = performance.now();
      await service.until(() => service.record.of('ping').length > 0, 12_000);
      expect(await world.send('write').reply).toHaveProperty('result');
      // The bridge looks at the clock every 5 s.
      expect(fairMs(wokeAt)).toBeLessThan(9000);
      expect(service.socketsOpened).toBeGreaterThan(before);
      expect(service.record.handshakes).toBe(1);
    },
  );
});

test('SE2 every change of state is one event with its reason', async () => {
  await using world = await World.open({ args: ['--idle-timeout-ms', '1000'] });
  await world.service.until(() => world.service.record.deleted.length === 1, 10_000);
  await eventually(() => world.bridge.log.includes('session.state IDLE'));
  const states = [...world.bridge.log.matchAll(/session\.state (\w+): (.+)/g)].map(([, state]) => state);
  expect(states).toEqual(['CONNECTING', 'READY', 'IDLE']);
});
