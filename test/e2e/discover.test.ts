// `server/discover`, which newer clients ask a copy that they throw away afterwards.
import { expect, test } from 'vitest';
import { hang } from '../support/scripted-service.ts';
import { expectOneReplyEach, useBridge, useService } from '../support/use.ts';

const discover = {
  jsonrpc: '2.0',
  id: 'd',
  method: 'server/discover',
  params: { _meta: { 'io.modelcontextprotocol/x': 1 } },
};

test('HS4 `server/discover` before `initialize` is answered with no network traffic at all', async () => {
  const service = await useService();
  service.always({}, hang);
  const bridge = await useBridge(service);
  bridge.send(discover);
  // "Method not found" is what makes such a client go on with `initialize`.
  expect(await bridge.reply('d')).toMatchObject({ error: { code: -32601 } });
  expect((await bridge.close()).code).toBe(0);
  expect(service.socketsOpened).toBe(0);
});

test('HS4 it is answered at once while the service cannot be reached, and while its name does not resolve', async () => {
  for (const url of ['http://127.0.0.1:9/mcp', 'https://no-such-host.invalid/mcp']) {
    const bridge = await useBridge(url);
    bridge.send(discover);
    expect(await bridge.reply('d')).toMatchObject({ error: { code: -32601 } });
    const { code, tookMs } = await bridge.close();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(1000);
  }
});

test('HS4 the same copy can go on with `initialize`', async () => {
  const service = await useService();
  const bridge = await useBridge(service);
  bridge.send(discover);
  bridge.send({ ...discover, id: 'again' });
  await bridge.reply('again');
  expect(await bridge.initialize()).toHaveProperty('result');
  expect(await bridge.callTool('read')).toHaveProperty('result');
  expectOneReplyEach(bridge, ['d', 'again']);
  expect(service.record.of('server/discover')).toEqual([]);
  expect(service.record.handshakes).toBe(1);
});

test('HS4 nine throw-away copies at once leave no trace', async () => {
  const service = await useService();
  const copies = await Promise.all(Array.from({ length: 9 }, () => useBridge(service)));
  for (const copy of copies) copy.send(discover);
  await Promise.all(copies.map((copy) => copy.reply('d')));
  const exits = await Promise.all(copies.map((copy) => copy.close()));
  expect(exits.map(({ code }) => code)).toEqual(Array.from({ length: 9 }, () => 0));
  expect(service.socketsOpened).toBe(0);
});
