// The end: whatever ends the bridge and whatever is going on, it is gone within 2 s with exit code 0, and the service knows.
import { expect, test } from 'vitest';
import type { BridgeProcess, Exit } from '../support/bridge-process.ts';
import { flood } from '../support/flood.ts';
import { hang, hangInSse, type ScriptedService } from '../support/scripted-service.ts';
import { expectBridgeError, expectOneReplyEach, useBridge, useBridged, useService } from '../support/use.ts';

/** What ends a bridge. A closed stdout shows when something is written to it: here, an answer. */
const endings: [string, (bridge: BridgeProcess) => Promise<Exit>][] = [
  ['the end of stdin', (bridge) => bridge.close()],
  ['SIGTERM', (bridge) => bridge.kill('SIGTERM')],
  ['SIGINT', (bridge) => bridge.kill('SIGINT')],
  [
    'a closed stdout',
    (bridge) => {
      bridge.closeStdout();
      const exit = bridge.exit();
      bridge.send({ jsonrpc: '2.0', id: 'into-the-void', method: 'ping' });
      return exit;
    },
  ],
];

function expectQuickEnd(exit: Exit): void {
  expect({ code: exit.code, signal: exit.signal }).toEqual({ code: 0, signal: null });
  expect(exit.tookMs).toBeLessThan(2000);
}

/** Calls `slow`, which will not be answered, and waits until the service has it. */
async function callWithoutAnswer(service: ScriptedService, bridge: BridgeProcess): Promise<void> {
  bridge.send({ jsonrpc: '2.0', id: 'waiting', method: 'tools/call', params: { name: 'slow' } });
  await service.until(() => service.record.of('tools/call').length === 1);
}

test.each(endings)('BR10 at rest, %s ends the session at the service and the process', async (_what, end) => {
  const { service, bridge } = await useBridged();
  expectQuickEnd(await end(bridge));
  expect(service.record.deleted).toHaveLength(1);
  expect(service.sessionCount).toBe(0);
  await service.until(() => service.openSockets === 0);
});

test.each(endings)(
  'BR10 with calls in flight, %s cancels each at the service, then ends the session',
  async (_what, end) => {
    const { service, bridge } = await useBridged();
    service.once({ tool: 'slow', key: 'silent' }, hang);
    service.once({ tool: 'slow', key: 'stream' }, hangInSse);
    for (const key of ['silent', 'stream', 'working']) {
      bridge.send({
        jsonrpc: '2.0',
        id: key,
        method: 'tools/call',
        params: { name: 'slow', arguments: { key, ms: 60_000 } },
      });
    }
    await service.until(() => service.record.of('tools/call').length === 3);
    expectQuickEnd(await end(bridge));
    const ids = service.record.of('tools/call').map(({ messages }) => messages[0]!.id);
    expect(new Set(service.record.cancelled)).toEqual(new Set(ids));
    expect(service.record.cancelled).toHaveLength(ids.length);
    expect(service.record.deleted).toHaveLength(1);
    const last = service.record.requests.at(-1)!;
    expect(last.http).toBe('DELETE');
    await service.until(() => service.openSockets === 0);
  },
);

test.each(endings)(
  'BR10 while bytes vanish on the way to the service, %s still ends it in time',
  async (_what, end) => {
    const { service, bridge } = await useBridged();
    service.once({ tool: 'slow' }, hang);
    await callWithoutAnswer(service, bridge);
    service.blackHole('silent');
    expectQuickEnd(await end(bridge));
  },
);

test.each(endings)('BR10 during the handshake, %s ends it, and cancels nothing', async (_what, end) => {
  const service = await useService();
  service.once({ rpc: 'initialize' }, hang);
  const bridge = await useBridge(service);
  void bridge.initialize().catch(() => {});
  await service.until(() => service.record.of('initialize').length === 1);
  expectQuickEnd(await end(bridge));
  expect(service.record.cancelled).toEqual([]);
  await service.until(() => service.openSockets === 0);
});

test.each(endings)(
  'BR10 before anything was said, %s ends it without a word to the service',
  async (_what, end) => {
    const service = await useService();
    const bridge = await useBridge(service);
    // An answer says that it has started: a signal before that ends the process in the system's own way.
    await bridge.request('server/discover');
    expectQuickEnd(await end(bridge));
    expect(service.socketsOpened).toBe(0);
  },
);

test.each(endings)('BR10 with the service gone, %s ends it', async (_what, end) => {
  const { service, bridge } = await useBridged();
  service.once({ tool: 'slow' }, hang);
  await callWithoutAnswer(service, bridge);
  service.stop();
  expectQuickEnd(await end(bridge));
});

test('BR10 while the service accepts the connection and then says nothing, it ends in time', async () => {
  const service = await useService();
  service.welcome('silent');
  const bridge = await useBridge(service);
  void bridge.initialize().catch(() => {});
  await service.until(() => service.openSockets === 1);
  expectQuickEnd(await bridge.close());
});

test('BR10 BR13 a request in flight gets its one reply before the end, and a write is not called lost or done', async () => {
  const { service, bridge } = await useBridged();
  service.always({ http: 'POST', when: ({ rpc }) => rpc === 'tools/call' || rpc === 'prompts/list' }, hang);
  bridge.send({ jsonrpc: '2.0', id: 'read', method: 'prompts/list' });
  bridge.send({ jsonrpc: '2.0', id: 'write', method: 'tools/call', params: { name: 'write' } });
  await service.until(
    () => service.record.of('tools/call').length + service.record.of('prompts/list').length === 2,
  );
  expectQuickEnd(await bridge.close());
  expectOneReplyEach(bridge, ['read', 'write']);
  expect(expectBridgeError(bridge.repliesTo('read')[0]!)).toBe('ERR_BRIDGE_SHUTDOWN');
  expect(expectBridgeError(bridge.repliesTo('write')[0]!)).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
});

test('BR10 an impatient client that sends every signal still sees exit code 0', async () => {
  const { service, bridge } = await useBridged();
  service.once({ tool: 'slow' }, hang);
  await callWithoutAnswer(service, bridge);
  const exit = bridge.close();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) process.kill(bridge.pid, signal);
  expectQuickEnd(await exit);
  expect(service.record.deleted).toHaveLength(1);
});

test('BR10 a client that does not read any more does not keep it alive', async () => {
  const { service, bridge } = await useBridged();
  bridge.pauseReading();
  for (let i = 0; i < 20; i += 1) {
    bridge.send({
      jsonrpc: '2.0',
      id: `big-${i}`,
      method: 'tools/call',
      params: { name: 'big', arguments: { bytes: 1e6 } },
    });
  }
  await service.until(() => service.record.of('tools/call').length === 20);
  expectQuickEnd(await bridge.kill('SIGTERM'));
});

test('BR10 SC4 nor does one that writes on and on without reading', async () => {
  const { service, bridge } = await useBridged();
  bridge.pauseReading();
  await flood(bridge);
  expectQuickEnd(await bridge.kill('SIGTERM'));
  await service.until(() => service.sessionCount === 0);
});

test('BR10 over HTTP+SSE the stream ends with the client', async () => {
  const { service, bridge } = await useBridged({ service: { legacyPath: '/sse' } });
  expectQuickEnd(await bridge.close());
  await service.until(() => service.openSockets === 0);
  expect(service.sessionCount).toBe(0);
});

test('BR10 takes the last line also without a line end', async () => {
  const service = await useService();
  const bridge = await useBridge(service);
  bridge.write('{"jsonrpc":"2.0","id":"last","method":"server/discover"}');
  expectQuickEnd(await bridge.close());
  expectOneReplyEach(bridge, ['last']);
});
