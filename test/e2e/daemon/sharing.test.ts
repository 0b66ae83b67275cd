// Two clients of one daemon on one session with the service, through the real program.
import { expect, test } from 'vitest';
import type { BridgeProcess } from '../../support/bridge-process.ts';
import { useDaemonHome, type DaemonHome } from '../../support/daemon-home.ts';
import { hang, type ScriptedService } from '../../support/scripted-service.ts';
import { expectOneReplyEach, useBridge, useService } from '../../support/use.ts';

interface Two {
  readonly service: ScriptedService;
  readonly home: DaemonHome;
  readonly one: BridgeProcess;
  readonly other: BridgeProcess;
}

async function useTwo(): Promise<Two> {
  const service = await useService();
  const home = useDaemonHome();
  const one = await useBridge(service, home.launch());
  await one.initialize();
  const other = await useBridge(service, home.launch());
  await other.initialize();
  return { service, home, one, other };
}

const call = (bridge: BridgeProcess, id: number, name: string, args: object): void =>
  bridge.send({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name, arguments: args, _meta: { progressToken: id } },
  });

test('DM2 share one handshake, and 2,000 interleaved calls under equal ids and tokens find their own answers', async () => {
  const { service, home, one, other } = await useTwo();
  const count = 1000;
  for (let id = 100; id < 100 + count; id += 1) {
    call(one, id, 'echo', { value: `one-${id}` });
    call(other, id, 'echo', { value: `other-${id}` });
    if (id % 50 === 0) await Promise.all([one.reply(id), other.reply(id)]);
  }
  const ids = Array.from({ length: count }, (_, n) => n + 100);
  for (const [bridge, name] of [
    [one, 'one'],
    [other, 'other'],
  ] as const) {
    for (const id of ids) expect(JSON.stringify(await bridge.reply(id))).toContain(`${name}-${id}`);
    expectOneReplyEach(bridge, ids);
  }
  expect(service.record.of('initialize')).toHaveLength(1);
  expect((await home.facts()).clients).toBe(2);
});

test("DM2 one client's end and cancellations withdraw its own calls only", async () => {
  const { service, home, one, other } = await useTwo();
  service.always({ tool: 'slow' }, hang);
  for (const [bridge, ids] of [
    [one, [501, 502]],
    [other, [501, 502]],
  ] as const)
    for (const id of ids) call(bridge, id, 'slow', {});
  await service.until(() => service.record.of('tools/call').length === 4);
  one.notify('notifications/cancelled', { requestId: 501 });
  await service.until(() => service.record.cancelled.length === 1);
  await one.close();
  await service.until(() => service.record.cancelled.length === 2);
  expect((await other.callTool('echo', { value: 'still here' })).result).toBeDefined();
  // The session is still the other one's.
  expect(service.record.deleted).toEqual([]);
  expect(service.record.cancelled).toHaveLength(2);
  expect(service.record.of('initialize')).toHaveLength(1);
  await home.until(async () => (await home.facts()).clients === 1);
});

test('ST2 the local interface tells of the session that they share, and resets it', async () => {
  const { service, home, one, other } = await useTwo();
  const stats = JSON.parse((await home.ask('/pool/stats')).body);
  expect(stats.sessions).toMatchObject([{ clients: 2, state: 'READY' }]);
  const [{ id }] = stats.sessions;
  expect((await home.ask(`/sessions/${id}/reset`, { method: 'POST' })).status).toBe(200);
  expect((await home.ask('/sessions/none/reset', { method: 'POST' })).status).toBe(404);
  for (const bridge of [one, other])
    expect((await bridge.callTool('echo', { value: 1 })).result).toBeDefined();
  expect(service.record.of('initialize')).toHaveLength(2);
  expect((await home.ask('/metrics')).body).toContain('mcp_bridge_');
});
