// The relay between a client and daemons that come and go, without a process or a socket.
import { expect, test } from 'vitest';
import { INITIALIZE, INITIALIZED, NOT_JSON, request, result, Scene } from './scene.ts';

test('BR4 lines pass as they are, both ways', async () => {
  const scene = new Scene();
  const daemon = await scene.daemon();
  const odd = '{ "jsonrpc" : "2.0", "id" : 1.50e1, "method" : "x", "params" : {"n": 1.50} }';
  await scene.client(odd);
  expect(daemon.got).toEqual([odd]);
  const answer = '{"jsonrpc":"2.0", "result":{"n":10000000000000000000000}, "id":1.50e1}';
  daemon.say(answer);
  await scene.pass();
  expect(scene.told).toEqual([answer]);
});

test('DM4 what was said before a daemon came is sent when one comes', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE, INITIALIZED, request(2, 'tools/list'));
  const daemon = await scene.daemon();
  expect(daemon.got).toEqual([INITIALIZE, INITIALIZED, request(2, 'tools/list')]);
});

test('DM4 a new daemon is told who the client is, and its answer to that goes to nobody', async () => {
  const scene = new Scene();
  const first = await scene.daemon();
  const level = request(2, 'logging/setLevel', { level: 'info' });
  const subscribe = (id: number, uri: string): string => request(id, 'resources/subscribe', { uri });
  await scene.client(INITIALIZE, INITIALIZED, level, subscribe(3, 'a:1'), subscribe(4, 'a:2'));
  await scene.client(request(5, 'resources/unsubscribe', { uri: 'a:1' }));
  for (const id of [1, 2, 3, 4, 5]) first.say(result(id));
  await scene.pass();
  first.die();
  await scene.wait();
  const second = await scene.daemon();
  const methods = second.got.map((text) => JSON.parse(text).method);
  expect(methods).toEqual([
    'initialize',
    'notifications/initialized',
    'logging/setLevel',
    'resources/subscribe',
  ]);
  expect(JSON.parse(second.got[3]!).params).toEqual({ uri: 'a:2' });
  const told = scene.told.length;
  for (const text of second.got) {
    const { id } = JSON.parse(text) as { id?: string };
    if (id !== undefined) second.say(result(id));
  }
  await scene.pass();
  // But for the news that lists may have changed while nobody listened.
  expect(scene.told.slice(told)).toEqual([]);
  expect(scene.told.filter((text) => text.includes('list_changed'))).toHaveLength(3);
});

test('DM4 a new daemon is told who the client is, however much it said of itself', async () => {
  const scene = new Scene();
  const first = await scene.daemon(100_000);
  const icons = [{ src: `data:image/png;base64,${'A'.repeat(17_000)}` }];
  const initialize = request(1, 'initialize', { clientInfo: { name: 'c', version: '1', icons } });
  const subscribe = request(2, 'resources/subscribe', { uri: `data:,${'x'.repeat(17_000)}` });
  await scene.client(initialize, INITIALIZED, subscribe);
  first.say(result(1), result(2));
  await scene.pass();
  first.die();
  await scene.wait();
  const second = await scene.daemon(100_000);
  expect(second.got.map((text) => JSON.parse(text))).toEqual([
    { ...JSON.parse(initialize), id: 'mcp-bridge-1' },
    JSON.parse(INITIALIZED),
    { ...JSON.parse(subscribe), id: 'mcp-bridge-2' },
  ]);
});

test('DM4 BR13 an initialize that was not answered is sent again as itself', async () => {
  const scene = new Scene();
  const first = await scene.daemon();
  await scene.client(INITIALIZE);
  first.die();
  await scene.wait();
  const second = await scene.daemon();
  expect(second.got).toEqual([INITIALIZE]);
  second.say(result(1));
  await scene.pass();
  expect(scene.told).toContain(result(1));
});

test('BR9 half a line of a daemon that died is never shown', async () => {
  const scene = new Scene();
  const daemon = await scene.daemon();
  await scene.client(request(7, 'tools/list'));
  daemon.say('{"jsonrpc":"2.0","method":"x"}');
  daemon.mutter('{"jsonrpc":"2.0","id":7,"res');
  await scene.pass();
  daemon.die();
  await scene.pass();
  await scene.wait();
  const next = await scene.daemon();
  next.say(result(7));
  await scene.pass();
  expect(scene.told).toEqual(['{"jsonrpc":"2.0","method":"x"}', result(7)]);
});

test('BR6 a request that is cancelled before any daemon came is not sent, and gets no reply', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE, request(2, 'tools/list'));
  await scene.client('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}');
  const daemon = await scene.daemon();
  expect(daemon.got).toEqual([INITIALIZE]);
});

test('BR5 questions of two daemons under one id stay apart, and those of a dead one are withdrawn', async () => {
  const scene = new Scene();
  const old = await scene.daemon();
  await scene.client(INITIALIZE);
  old.say(result(1), request(1, 'roots/list'), '#drain');
  await scene.pass();
  const next = await scene.daemon();
  next.say(request(1, 'roots/list'));
  await scene.pass();
  const asked = scene.told.map((text) => JSON.parse(text)).filter(({ method }) => method === 'roots/list');
  expect(new Set(asked.map(({ id }) => id)).size).toBe(2);
  next.die();
  await scene.wait();
  expect(scene.told.filter((text) => text.includes('notifications/cancelled'))).toHaveLength(1);
  expect(old.got.filter((text) => text.includes('result'))).toEqual([]);
});

test('DM5 a daemon that drains keeps what it has, and the next one gets what is new', async () => {
  const scene = new Scene();
  const old = await scene.daemon();
  await scene.client(INITIALIZE);
  old.say(result(1));
  await scene.client(request(2, 'tools/call', { name: 'w' }));
  old.say('#drain');
  await scene.pass();
  await scene.client(request(3, 'tools/list'));
  const next = await scene.daemon();
  expect(next.got.at(-1)).toBe(request(3, 'tools/list'));
  expect(next.got.some((text) => text.includes('"id":2'))).toBe(false);
  await scene.client('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}');
  old.say(result(2));
  await scene.pass();
  expect(scene.told).toContain(result(2));
  expect(scene.told.some((text) => text.startsWith('#'))).toBe(false);
});

test('DM4 a daemon that said good-bye is not looked for until the client needs one', async () => {
  const scene = new Scene();
  const daemon = await scene.daemon();
  await scene.client(INITIALIZE);
  daemon.say(result(1), '#bye');
  await scene.pass();
  daemon.die();
  await scene.wait();
  expect(scene.isLooking).toBe(false);
  await scene.client(request(2, 'tools/list'));
  expect(scene.isLooking).toBe(true);
});

test('BR10 the end of stdin ends it at once where there is no daemon', async () => {
  const scene = new Scene();
  scene.input.end();
  await scene.pass();
  expect(scene.exitCode).toBe(0);
});

test('BR10 a daemon that does not hang up does not keep it', async () => {
  const scene = new Scene();
  await scene.daemon();
  scene.input.end();
  await scene.clock.advance(2000);
  expect(scene.exitCode).toBe(0);
});

test('BR11 a line over the daemon’s limit is refused here, and the next one passes', async () => {
  const scene = new Scene();
  const daemon = await scene.daemon();
  await scene.client(request(1, 'x', { pad: 'x'.repeat(1000) }), request(2, 'ping'));
  expect(daemon.got).toEqual([request(2, 'ping')]);
  expect(JSON.parse(scene.told[0]!)).toMatchObject({
    id: 1,
    error: { data: { code: 'ERR_CLIENT_LINE_TOO_LONG' } },
  });
});

test('CF2 BR13 what cannot be used at launch is answered, and ends the front with the exit code', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE, `[${request(5, 'tools/list')},${request(6, 'ping')}]`);
  await scene.refuse();
  for (const id of [1, 5, 6])
    expect(scene.repliesTo(id)).toMatchObject([{ error: { data: { code: 'ERR_CONFIG_INVALID' } } }]);
  expect(scene.exitCode).toBe(2);
});

test('DM4 BR13 after a loss, what cannot be used any more is answered, until it is put right', async () => {
  const scene = new Scene();
  const first = await scene.daemon();
  await scene.client(INITIALIZE, INITIALIZED);
  first.say(result(1));
  await scene.client(request(2, 'tools/list'));
  first.die();
  await scene.wait();
  await scene.refuse();
  expect(scene.repliesTo(2)).toMatchObject([{ error: { data: { code: 'ERR_CONFIG_INVALID' } } }]);
  await scene.wait();
  // Nobody wants anything, so nobody looks.
  expect(scene.isLooking).toBe(false);
  await scene.client(request(3, 'tools/list'));
  await scene.wait();
  await scene.refuse();
  expect(scene.repliesTo(3)).toMatchObject([{ error: { data: { code: 'ERR_CONFIG_INVALID' } } }]);
  expect(scene.exitCode).toBeUndefined();

  await scene.client(request(4, 'tools/list'));
  await scene.wait();
  const next = await scene.daemon();
  expect(next.got.map((text) => JSON.parse(text).method)).toEqual([
    'initialize',
    'notifications/initialized',
    'tools/list',
  ]);
  next.say(result(4));
  await scene.pass();
  expect(scene.repliesTo(4)).toEqual([{ jsonrpc: '2.0', id: 4, result: {} }]);
});

test('BR13 DM5 a second request under an id is refused, though another daemon has the first', async () => {
  const scene = new Scene();
  const old = await scene.daemon();
  const write = request(2, 'tools/call', { name: 'w' });
  await scene.client(INITIALIZE, write);
  old.say(result(1), '#drain');
  await scene.pass();
  const next = await scene.daemon();
  const bad = '{"jsonrpc":"1.0","id":2,"method":"x"}';
  await scene.client(write, bad);
  expect(scene.repliesTo(2).map(({ error }) => error?.data.code)).toEqual([
    'ERR_CLIENT_DUPLICATE_ID',
    'ERR_CLIENT_DUPLICATE_ID',
  ]);
  expect(next.got).not.toContain(write);
  old.say(result(2));
  await scene.pass();
  expect(scene.repliesTo(2)).toHaveLength(3);
  await scene.client(request(2, 'ping'));
  expect(next.got.at(-1)).toBe(request(2, 'ping'));
});

test('RT7 tells the next daemon how long the client has waited for what it hands on', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE, INITIALIZED);
  const first = await scene.daemon();
  first.say('{"jsonrpc":"2.0","id":1,"result":{}}');
  await scene.client(request(2, 'tools/list'));
  expect(first.got.at(-1)).toBe(request(2, 'tools/list'));
  await scene.clock.advance(4000);
  first.die();
  await scene.pass();
  await scene.clock.advance(3000);
  await scene.client(request(3, 'prompts/list'));
  await scene.clock.advance(500);
  const second = await scene.daemon();
  const at = second.heard.indexOf('#waited 7500');
  expect(second.heard.slice(at, at + 4)).toEqual([
    '#waited 7500',
    request(2, 'tools/list'),
    '#waited 500',
    request(3, 'prompts/list'),
  ]);
});

test('BR6 passes on the cancellation of one request of a batch', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE, INITIALIZED);
  const daemon = await scene.daemon();
  await scene.client(`[${request(2, 'tools/list')},${request(3, 'prompts/list')}]`);
  const cancellation = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}';
  await scene.client(cancellation);
  expect(daemon.got.at(-1)).toBe(cancellation);
});

test('BR11 DM5 a long call that turns out to be no JSON is answered by the error without an id', async () => {
  const scene = new Scene();
  const daemon = await scene.daemon(100_000);
  await scene.client(INITIALIZE);
  daemon.say(result(1));
  await scene.client(request(8, 'tools/call', { name: 'w', x: 'x'.repeat(20_000) }));
  const broken = Buffer.from(`${request(9, 'tools/call', { name: 'w', x: 'x'.repeat(20_000) })}\n`);
  broken[1000] = 0xff;
  scene.input.write(broken);
  await scene.pass();
  daemon.say(NOT_JSON, '#drain');
  await scene.pass();
  await scene.daemon();
  expect(daemon.isLeft).toBe(false);
  daemon.say(result(8));
  await scene.pass();
  expect(daemon.isLeft).toBe(true);
});
