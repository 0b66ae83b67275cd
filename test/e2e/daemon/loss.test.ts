// A daemon may go at any moment: the client sees one reply to each request, no write twice, and no pause worth the name.
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { BridgeProcess } from '../../support/bridge-process.ts';
import { useDaemonHome, type DaemonHome } from '../../support/daemon-home.ts';
import { hang, hangAfter, hangInSse, type ScriptedService } from '../../support/scripted-service.ts';
import { expectBridgeError, expectOneReplyEach, useBridge, useService } from '../../support/use.ts';

async function useAttached(): Promise<{ service: ScriptedService; home: DaemonHome; bridge: BridgeProcess }> {
  const service = await useService();
  const home = useDaemonHome();
  const bridge = await useBridge(service, home.launch());
  await bridge.initialize();
  await bridge.request('tools/list');
  return { service, home, bridge };
}

const call = (bridge: BridgeProcess, id: string, name: string, key = id): void =>
  bridge.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { key } } });

test('DM4 killed while idle: the next request is answered by a new daemon, without a new initialize of the client', async () => {
  const { service, home, bridge } = await useAttached();
  const [before] = home.pids();
  home.kill('SIGKILL');
  expect((await bridge.callTool('echo', { value: 1 }, { timeoutMs: 10_000 })).result).toBeDefined();
  const { pid } = await home.facts();
  expect(pid).not.toBe(before);
  // The handshake was restored: one by each daemon, and the client got one answer to its own.
  expect(service.record.of('initialize')).toHaveLength(2);
  expect(service.record.of('notifications/initialized')).toHaveLength(2);
  expect(bridge.messages.filter((message) => String(message.id).includes('mcp-bridge-'))).toEqual([]);
});

test('DM4 killed in the middle of a read: it is sent again, and answered once', async () => {
  const { service, home, bridge } = await useAttached();
  service.once({ tool: 'read', key: 'r' }, hang);
  call(bridge, 'r', 'read');
  await service.until(() => service.record.of('tools/call').length === 1);
  home.kill('SIGKILL');
  expect((await bridge.reply('r', 10_000)).result).toBeDefined();
  expectOneReplyEach(bridge, ['r']);
});

test('DM4 RT4 killed in the middle of a write: it is not sent again, and the answer says that its outcome is unknown', async () => {
  const { service, home, bridge } = await useAttached();
  service.once({ tool: 'write', key: 'w' }, hangAfter);
  call(bridge, 'w', 'write');
  await service.until(() => service.record.executions.get('w') === 1);
  home.kill('SIGKILL');
  const reply = await bridge.reply('w', 10_000);
  expect(expectBridgeError(reply)).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
  expect(reply.error?.message).toContain('was not repeated');
  // The way is open again, and nothing came twice.
  expect((await bridge.callTool('echo', { value: 1 }, { timeoutMs: 10_000 })).result).toBeDefined();
  expect(service.record.executions.get('w')).toBe(1);
  expectOneReplyEach(bridge, ['w']);
});

test('DM4 killed while an answer streams: a read is sent again, a cancelled one stays silent', async () => {
  const { service, home, bridge } = await useAttached();
  service.once({ tool: 'read', key: 'kept' }, hangInSse);
  service.once({ tool: 'read', key: 'dropped' }, hangInSse);
  call(bridge, 'kept', 'read');
  call(bridge, 'dropped', 'read');
  await service.until(() => service.record.of('tools/call').length === 2);
  bridge.notify('notifications/cancelled', { requestId: 'dropped' });
  await service.until(() => service.record.cancelled.length === 1);
  home.kill('SIGKILL');
  expect((await bridge.reply('kept', 10_000)).result).toBeDefined();
  expect(bridge.repliesTo('dropped')).toEqual([]);
  expect(service.record.of('tools/call')).toHaveLength(3);
});

test('DM4 killed with a hundred requests in flight: each gets one reply', async () => {
  const { service, home, bridge } = await useAttached();
  const ids = Array.from({ length: 100 }, (_, n) => `n${n}`);
  for (const [n, id] of ids.entries()) call(bridge, id, n % 2 === 0 ? 'read' : 'write');
  home.kill('SIGKILL');
  await Promise.all(ids.map((id) => bridge.reply(id, 15_000)));
  expectOneReplyEach(bridge, ids);
  for (const id of ids)
    expect(service.record.executions.get(id) ?? 0).toBeLessThanOrEqual(id.endsWith('0') ? 2 : 2);
  const twice = ids.filter((id, n) => n % 2 === 1 && (service.record.executions.get(id) ?? 0) > 1);
  expect(twice).toEqual([]);
});

test('DM4 killed while it starts: the front starts another', { timeout: 30_000 }, async () => {
  const service = await useService();
  const home = useDaemonHome();
  const bridge = await useBridge(service, home.launch());
  bridge.send({ jsonrpc: '2.0', id: 'first', method: 'initialize', params: INITIALIZE });
  await home.until(() => home.pids().length > 0);
  home.kill('SIGKILL');
  expect((await bridge.reply('first', 10_000)).result).toBeDefined();
  expectOneReplyEach(bridge, ['first']);
  expect(await home.facts()).toMatchObject({ clients: 1 });
  expect(bridge.stderr).toBe('');
});

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw-client', version: '1' },
};

test(
  'DM4 BR13 killed after the config file was broken: requests are answered, and it heals with the file',
  { timeout: 40_000 },
  async () => {
    const service = await useService();
    const home = useDaemonHome();
    const config = JSON.stringify({ profiles: { work: { url: service.url } } });
    writeFileSync(home.paths.configFile, config);
    const bridge = await useBridge('work', home.launch());
    await bridge.initialize();
    await bridge.request('tools/list');
    service.once({ tool: 'read', key: 'r' }, hang);
    service.once({ tool: 'write', key: 'w' }, hangAfter);
    call(bridge, 'r', 'read');
    call(bridge, 'w', 'write');
    await service.until(() => service.record.of('tools/call').length === 2);
    writeFileSync(home.paths.configFile, `{"profiles": ${config}`);
    home.kill('SIGKILL');
    expect(expectBridgeError(await bridge.reply('w', 10_000))).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    const reply = await bridge.reply('r', 10_000);
    expect(expectBridgeError(reply)).toBe('ERR_CONFIG_INVALID');
    expect(reply.error?.message).toContain(home.paths.configFile);
    const later = await bridge.callTool('read', {}, { timeoutMs: 10_000 });
    expect(expectBridgeError(later)).toBe('ERR_CONFIG_INVALID');
    expect(bridge.hasExited).toBe(false);
    // Said once, however often it is asked.
    expect(bridge.stderr.trim().split('\n')).toHaveLength(1);

    writeFileSync(home.paths.configFile, config);
    await home.until(
      async () => 'result' in (await bridge.callTool('read', {}, { timeoutMs: 10_000 })),
      10_000,
    );
    expectOneReplyEach(bridge, ['r', 'w']);
    expect(service.record.executions.get('w')).toBe(1);
  },
);

test('DM4 all fronts find one new daemon', { timeout: 30_000 }, async () => {
  const service = await useService();
  const home = useDaemonHome();
  const fronts = await Promise.all(Array.from({ length: 5 }, () => useBridge(service, home.launch())));
  for (const front of fronts) {
    await front.initialize();
    await front.request('tools/list');
  }
  home.kill('SIGKILL');
  const replies = await Promise.all(fronts.map((front) => front.callTool('read', {}, { timeoutMs: 15_000 })));
  for (const reply of replies) expect(reply.result).toBeDefined();
  await home.until(async () => home.pids().length === 1 && (await home.facts()).clients === 5);
});

test('DM4 fronts that are killed leave the daemon and the others as they were', async () => {
  const { service, home, bridge } = await useAttached();
  const doomed = await useBridge(service, home.launch());
  await doomed.initialize();
  service.once({ tool: 'slow', key: 'd' }, hang);
  call(doomed, 'd', 'slow');
  doomed.write('{"jsonrpc":"2.0","id":1,"meth');
  await service.until(() => service.record.of('tools/call').length === 1);
  await doomed.kill('SIGKILL');
  // What it had asked for is withdrawn.
  await service.until(() => service.record.cancelled.length === 1);
  await home.until(async () => (await home.facts()).clients === 1);
  expect((await bridge.callTool('echo', { value: 1 })).result).toBeDefined();
  expect(await home.facts()).toMatchObject({ faults: 0 });
});

test(
  'DM4 SC4 fronts killed at any moment of a launch leave nothing behind',
  { timeout: 60_000 },
  async () => {
    const { service, home, bridge } = await useAttached();
    const doomed = Array.from({ length: 16 }, async (_, n) => {
      const front = await useBridge(service, home.launch());
      front.send({ jsonrpc: '2.0', id: 'i', method: 'initialize', params: INITIALIZE });
      front.notify('notifications/initialized');
      for (let id = 0; id < 20; id += 1) call(front, `${n}-${id}`, id % 2 === 0 ? 'read' : 'slow');
      // Spread over all that a launch goes through, on a slow machine too.
      await new Promise((resolve) => setTimeout(resolve, n * n * 4));
      await front.kill('SIGKILL');
    });
    await Promise.all(doomed);
    await home.until(async () => (await home.facts()).clients === 1);
    expect(await home.facts()).toMatchObject({ faults: 0, state: 'serving' });
    const { sessions } = JSON.parse((await home.ask('/pool/stats')).body) as {
      sessions: { clients: number; callsInFlight: number }[];
    };
    expect(sessions).toMatchObject([{ clients: 1, callsInFlight: 0 }]);
    expect((await bridge.callTool('echo', { value: 1 })).result).toBeDefined();
    expect(service.record.of('initialize')).toHaveLength(1);
  },
);

test('DM4 a daemon that is asked to end stays away until a front needs one', async () => {
  const { service, home, bridge } = await useAttached();
  expect((await home.ask('/shutdown', { method: 'POST' })).status).toBe(200);
  await home.until(() => home.pids().length === 0);
  expect(service.sessionCount).toBe(0);
  await bridge.request('ping');
  expect(home.pids()).toEqual([]);
  expect((await bridge.callTool('echo', { value: 1 }, { timeoutMs: 10_000 })).result).toBeDefined();
  expect(home.pids()).toHaveLength(1);
});

test('DM4 SC4 a front that is held up does not keep a daemon that ends', { timeout: 30_000 }, async () => {
  const { service, home, bridge } = await useAttached();
  process.kill(bridge.pid, 'SIGSTOP');
  expect((await home.ask('/shutdown', { method: 'POST' })).status).toBe(200);
  await home.until(() => home.pids().length === 0);
  expect(service.sessionCount).toBe(0);
  process.kill(bridge.pid, 'SIGCONT');
  expect((await bridge.callTool('echo', { value: 1 }, { timeoutMs: 10_000 })).result).toBeDefined();
});

test('HS4 server/discover and ping are answered at once, while the daemon is not there yet', async () => {
  const service = await useService();
  const home = useDaemonHome();
  const bridge = await useBridge(service, home.launch());
  bridge.send({ jsonrpc: '2.0', id: 'd', method: 'server/discover' });
  bridge.send({ jsonrpc: '2.0', id: 'p', method: 'ping' });
  expect((await bridge.reply('d')).error).toMatchObject({ code: -32601 });
  expect((await bridge.reply('p')).result).toEqual({});
  expect(service.record.requests).toEqual([]);
});

test(
  'BR11 SC4 a line without an end costs a front no more memory than the limit, daemon or not',
  { timeout: 60_000 },
  async () => {
    const service = await useService();
    const home = useDaemonHome();
    const bridge = await useBridge(service, home.launch({ args: ['--max-line-bytes', String(1024 * 1024)] }));
    await bridge.initialize();
    bridge.write(
      '{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"name":"echo","arguments":{"value":"',
    );
    const chunk = 'x'.repeat(1024 * 1024);
    for (let n = 0; n < 150; n += 1) if (!bridge.write(chunk)) await bridge.written();
    bridge.send('"}}}');
    const reply = await bridge.reply('big', 20_000);
    expect(expectBridgeError(reply)).toBe('ERR_CLIENT_LINE_TOO_LONG');
    // Kept, it would take 150 MiB more than the 45 MiB or so of Node.js.
    expect(bridge.peakMemory()).toBeLessThan(160 * 1024 * 1024);
    expect((await bridge.callTool('echo', { value: 1 })).result).toBeDefined();
  },
);

test('BR4 a large payload passes both ways, and its request is answered once', async () => {
  const { bridge } = await useAttached();
  const value = 'y'.repeat(3 * 1024 * 1024);
  const reply = await bridge.callTool('echo', { value }, { timeoutMs: 20_000 });
  expect(JSON.stringify(reply.result)).toContain(value);
});
