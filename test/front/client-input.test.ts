// Requests go to the daemon, and the first answer of all to the client, before the front has read them. What it does later it does as for
// any other line.
import { expect, test } from 'vitest';
import { INITIALIZE, INITIALIZED, request, result, Scene, useServed } from './scene.ts';

test('PF1 goes to the daemon as it is, and its answer to the client', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE);
  const daemon = await scene.daemon();
  expect(daemon.heard).toEqual([INITIALIZE]);
  daemon.say(result(1));
  await scene.pass();
  expect(scene.told).toEqual([result(1)]);
});

test('PF1 the same when the daemon was there first', async () => {
  const scene = new Scene();
  const daemon = await scene.daemon();
  await scene.client(INITIALIZE);
  expect(daemon.heard).toEqual([INITIALIZE]);
  daemon.say(result(1));
  await scene.pass();
  expect(scene.told).toEqual([result(1)]);
});

test('DM4 is told to the next daemon, when the first is lost before its answer and after it', async () => {
  for (const isAnswered of [false, true]) {
    const scene = new Scene();
    await scene.client(INITIALIZE);
    const first = await scene.daemon();
    if (isAnswered) first.say(result(1));
    await scene.pass();
    first.die();
    await scene.wait();
    const second = await scene.daemon();
    const [told] = second.got.map((line) => JSON.parse(line));
    expect(told.method).toBe('initialize');
    expect(String(told.id)).toMatch(isAnswered ? /^mcp-bridge-/ : /^1$/);
    second.say(result(told.id));
    await scene.pass();
    expect(scene.repliesTo(1)).toHaveLength(1);
  }
});

test('BR13 is answered once, however the answer is cut and whatever comes with it', async () => {
  const news = '{"jsonrpc":"2.0","method":"notifications/message","params":{}}';
  const sayings = [
    [`${result(1)}\n${news}\n`],
    [`${news}\n${result(1)}\n`],
    [`${news}\n`, `${result(1)}\n`],
    [result(1).slice(0, 20), `${result(1).slice(20)}\n`],
    [result(1), '\n'],
    ['{"result":{}, "id" : 1, "jsonrpc":"2.0"}\n'],
  ];
  for (const saying of sayings) {
    const scene = new Scene();
    await scene.client(INITIALIZE);
    const daemon = await scene.daemon();
    for (const bytes of saying) {
      daemon.mutter(bytes);
      await scene.pass();
    }
    expect(scene.told.join('\n')).toBe(saying.join('').trimEnd());
    daemon.die();
    await scene.wait();
    // It is not asked again for the client.
    expect((await scene.daemon()).got.map((line) => JSON.parse(line).id)).toEqual(['mcp-bridge-1']);
  }
});

test('BR3 comes before what the client says behind it, whether a daemon is there or not', async () => {
  for (const isThere of [false, true]) {
    const scene = new Scene();
    const early = isThere ? await scene.daemon() : undefined;
    await scene.client(INITIALIZE);
    await scene.client(INITIALIZED, request(2, 'tools/list'));
    const daemon = early ?? (await scene.daemon());
    expect(daemon.got).toEqual([INITIALIZE, INITIALIZED, request(2, 'tools/list')]);
  }
});

test('HS4 is read after a moment where no daemon is there, so that what needs none is answered', async () => {
  const scene = new Scene();
  await scene.client(request(1, 'server/discover'));
  await scene.clock.advance(20);
  await scene.pass();
  expect(scene.repliesTo(1)).toMatchObject([{ error: { code: -32601 } }]);
  await scene.client(INITIALIZE);
  expect((await scene.daemon()).got).toEqual([INITIALIZE]);
});

test('CF2 is answered where what was launched is of no use', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE);
  await scene.refuse();
  expect(scene.repliesTo(1)).toMatchObject([{ error: { data: { code: 'ERR_CONFIG_INVALID' } } }]);
  expect(scene.exitCode).toBe(2);
});

test('BR3 two first lines under one id are one too many', async () => {
  const scene = new Scene();
  const daemon = await scene.daemon();
  await scene.client(INITIALIZE);
  await scene.client(request(1, 'tools/list'));
  expect(daemon.got).toEqual([INITIALIZE]);
  expect(scene.repliesTo(1)).toMatchObject([{ error: { data: { code: 'ERR_CLIENT_DUPLICATE_ID' } } }]);
});

const listTools = request(7, 'tools/list');

test.each([
  ['names its id first', listTools],
  ['names its id last', '{"method":"tools/list","params":{},"jsonrpc":"2.0","id":7}'],
  ['names its id in the middle', '{"jsonrpc":"2.0","method":"tools/list","id":7,"params":{}}'],
])('DM4 a request that %s is sent once, and once more to the next daemon', async (_how, line) => {
  const { scene, daemon } = await useServed();
  await scene.client(line);
  expect(daemon.heard.filter((text) => text.includes('tools/list'))).toEqual([line]);
  daemon.die();
  await scene.wait();
  const next = await scene.daemon();
  expect(next.got.filter((text) => text.includes('tools/list'))).toEqual([line]);
  next.say(result(7));
  await scene.pass();
  expect(scene.repliesTo(7)).toHaveLength(1);
});

test('BR13 a second request under the id of one that waits is not sent', async () => {
  const { scene, daemon } = await useServed();
  await scene.client(listTools);
  await scene.client(request(7, 'prompts/list'));
  expect(daemon.heard.filter((text) => text.includes('"id":7'))).toEqual([listTools]);
  expect(scene.repliesTo(7)).toMatchObject([{ error: { data: { code: 'ERR_CLIENT_DUPLICATE_ID' } } }]);
});

test('BR9 SC4 the end of a line that is too long is not taken for a request, however it looks', async () => {
  const { scene, daemon } = await useServed();
  scene.input.write(`{"jsonrpc":"2.0","id":5,"method":"x","params":"${'y'.repeat(3000)}`);
  await scene.pass();
  await scene.client(listTools);
  expect(daemon.heard.join('\n')).not.toContain('tools/list');
  expect(scene.told.join('\n')).toContain('ERR_CLIENT_LINE_TOO_LONG');
  // Nor is that of one that is not.
  scene.input.write('{"jsonrpc":"2.0","id":6,"method":"x","params":');
  await scene.pass();
  await scene.client(`${listTools}}`);
  expect(daemon.heard.at(-1)).toBe(`{"jsonrpc":"2.0","id":6,"method":"x","params":${listTools}}`);
});

test('BR11 BR13 a request over the daemon’s limit is refused once, by the front', async () => {
  const { scene, daemon } = await useServed();
  const long = request(5, 'x', { pad: 'x'.repeat(1000) });
  await scene.client(long);
  expect(daemon.got).not.toContain(long);
  expect(scene.repliesTo(5)).toMatchObject([{ error: { data: { code: 'ERR_CLIENT_LINE_TOO_LONG' } } }]);
  const longest = request(6, 'x', { pad: 'x'.repeat(1000 - request(6, 'x', { pad: '' }).length) });
  await scene.client(longest);
  expect(daemon.got.at(-1)).toBe(longest);
});

test('BR11 BR13 the same for the first line of all, whether a daemon is there or not', async () => {
  for (const isThere of [false, true]) {
    const scene = new Scene();
    const early = isThere ? await scene.daemon() : undefined;
    await scene.client(request(1, 'initialize', { pad: 'x'.repeat(1000) }));
    const daemon = early ?? (await scene.daemon());
    await scene.clock.advance(20);
    await scene.pass();
    expect(daemon.heard).toEqual([]);
    expect(scene.repliesTo(1)).toMatchObject([{ error: { data: { code: 'ERR_CLIENT_LINE_TOO_LONG' } } }]);
  }
});

test('BR13 a bridge in this process may answer a request at once, and its id is free again', async () => {
  for (const isThere of [false, true]) {
    const scene = new Scene();
    if (isThere) await scene.inProcess();
    await scene.client(INITIALIZE);
    if (!isThere) await scene.inProcess();
    await scene.client(INITIALIZED, listTools);
    await scene.client(listTools);
    await scene.client(listTools);
    expect(scene.told).toEqual([result(1), result(7), result(7), result(7)]);
    // Nothing is waited for any more.
    await scene.clock.advance(1000);
    expect(scene.clock.pendingTimers).toBe(0);
  }
});
