// What leaves on stdout: messages only, in order, at the client's pace. That nothing else is ever printed there is
// checked at the end of every test that uses a bridge (`useBridge`).
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { expectOneReplyEach, useBridge, useBridged, useService } from '../support/use.ts';

const mb = 1e6;

test('BR9 a client that does not read for 2 s gets 50 MB of answers complete and whole', async () => {
  const { service, bridge } = await useBridged();
  bridge.pauseReading();
  const ids = Array.from({ length: 50 }, (_, i) => `big-${i}`);
  for (const id of ids) {
    bridge.send({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'big', arguments: { bytes: mb } },
    });
  }
  await service.until(() => service.record.of('tools/call').length === 50);
  await sleep(2000);
  expect(bridge.lines).toHaveLength(1);
  bridge.resumeReading();
  await Promise.all(ids.map((id) => bridge.reply(id, 10_000)));
  expectOneReplyEach(bridge, ids);
  expect(bridge.lines.slice(1).every((line) => line.length > mb && line.length < mb + 200)).toBe(true);
  expect(service.record.handshakes).toBe(1);
});

test('BR9 SC4 a client that does not read holds the service back instead of filling memory', async () => {
  const { service, bridge } = await useBridged();
  const count = 3000;
  const filler = 'x'.repeat(64 * 1024);
  let sent = 0;
  service.once({ tool: 'read' }, async ({ res, idText }) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (; sent < count && !res.destroyed; sent += 1) {
      const params = { level: 'info', data: { n: sent, filler } };
      const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params });
      if (!res.write(`data: ${text}\n\n`)) await once(res, 'drain');
    }
    res.end(`data: {"jsonrpc":"2.0","id":${idText},"result":{}}\n\n`);
  });
  bridge.pauseReading();
  bridge.send({ jsonrpc: '2.0', id: 'r', method: 'tools/call', params: { name: 'read' } });
  // It stops when the pipes between are full, which is far from the end.
  let before = -1;
  await expect
    .poll(() => before === (before = sent) && sent > 0, { interval: 200, timeout: 5000 })
    .toBe(true);
  expect(sent).toBeLessThan(count / 4);
  bridge.resumeReading();
  await bridge.reply('r', 15_000);
  const order = bridge.messages.slice(1, -1).map(({ params }) => (params!['data'] as { n: number }).n);
  expect(order).toEqual(Array.from({ length: count }, (_, i) => i));
  // 200 MB passed through; a bridge at rest has about 70 MB.
  const peak = bridge.peakMemory();
  expect(peak ?? 0).toBeLessThan(200 * mb);
});

test('BR9 nothing but an explanation on stderr when it is launched wrongly', async () => {
  const url = 'https://example.invalid/mcp';
  for (const [target, args, words] of [
    ['not-a-profile', [], /not-a-profile/],
    [url, ['--no-such-flag', '1'], /no-such-flag/],
    [url, ['--max-in-flight', '0'], /max-in-flight.*from 1 to/],
    [url, ['--max-in-flight', 'many'], /max-in-flight.*many/],
  ] as const) {
    const bridge = await useBridge(target, { args });
    const { code } = await bridge.exit();
    expect(code).toBe(2);
    expect(bridge.stderr).toMatch(words);
    expect(bridge.stdout).toHaveLength(0);
  }
});

test.each(['silent', 'error', 'info', 'debug'])(
  'BR9 logs go elsewhere at level %s, and none hold payloads',
  async (level) => {
    const { service, bridge } = await useBridged({ launch: { args: ['--log-level', level] } });
    await bridge.callTool('echo', { value: 'payload-of-the-call' });
    service.cutAll();
    bridge.send('nonsense-of-the-client');
    await bridge.next(({ error }) => error?.code === -32700);
    await bridge.close();
    expect(bridge.log).not.toMatch(/payload-of-the-call|nonsense-of-the-client/);
    // A daemon tells of its own life at its own level.
    const ofTheBridge = bridge.log.split('\n').filter((line) => !/daemon\.state|^$/.test(line));
    expect(ofTheBridge.length > 0, bridge.log).toBe(level !== 'silent');
  },
);

test('BR9 goes on when stderr is closed', async () => {
  const service = await useService();
  const bridge = await useBridge(service, { args: ['--log-level', 'debug'] });
  bridge.closeStderr();
  await bridge.initialize();
  for (let i = 0; i < 20; i += 1) expect(await bridge.callTool('read')).toHaveProperty('result');
  expect((await bridge.close()).code).toBe(0);
});
