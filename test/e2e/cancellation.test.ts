// Cancellation in both directions, through the real program.
import { expect, test } from 'vitest';
import { hang, hangInSse, heldUntil } from '../support/scripted-service.ts';
import { expectOneReplyEach, useBridge, useBridged, useService } from '../support/use.ts';

test.each([
  ['a request without an answer', hang],
  ['an open stream', hangInSse],
])(
  "BR6 the client's cancellation reaches the service under the id that the call has there: %s",
  async (_what, action) => {
    const { service, bridge } = await useBridged();
    service.always({ tool: 'slow' }, action);
    bridge.send({ jsonrpc: '2.0', id: 'my-call', method: 'tools/call', params: { name: 'slow' } });
    await service.until(() => service.record.of('tools/call').length === 1);
    bridge.notify('notifications/cancelled', { requestId: 'my-call', reason: 'The person pressed stop' });
    await service.until(() => service.record.cancelled.length === 1);
    expect(service.record.cancelled[0]).toEqual(service.record.of('tools/call')[0]!.messages[0]!.id);
    expect(service.record.of('notifications/cancelled')[0]!.messages[0]!.params).toMatchObject({
      reason: 'The person pressed stop',
    });

    // Other calls go on, and the cancelled one never gets a reply.
    expect(await bridge.callTool('read')).toHaveProperty('result');
    await bridge.close();
    expect(bridge.repliesTo('my-call')).toEqual([]);
  },
);

test('BR6 a tool that runs is stopped, and only that one', async () => {
  const { service, bridge } = await useBridged({ service: { answers: 'sse' } });
  for (const id of ['one', 'two', 'three']) {
    bridge.send({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'slow', arguments: { ms: id === 'two' ? 60_000 : 300 } },
    });
  }
  await service.until(() => service.record.of('tools/call').length === 3);
  bridge.notify('notifications/cancelled', { requestId: 'two' });
  await Promise.all([bridge.reply('one'), bridge.reply('three')]);
  await bridge.close();
  expectOneReplyEach(bridge, ['one', 'three']);
  expect(bridge.repliesTo('two')).toEqual([]);
});

test('BR6 tells the ids 1 and "1" apart', async () => {
  const { service, bridge } = await useBridged();
  let release = (): void => {};
  service.always({ tool: 'slow' }, heldUntil(new Promise<void>((resolve) => (release = resolve))));
  bridge.send({
    jsonrpc: '2.0',
    id: 10,
    method: 'tools/call',
    params: { name: 'slow', arguments: { key: 'number' } },
  });
  bridge.send({
    jsonrpc: '2.0',
    id: '10',
    method: 'tools/call',
    params: { name: 'slow', arguments: { key: 'string' } },
  });
  await service.until(() => service.record.of('tools/call').length === 2);
  bridge.notify('notifications/cancelled', { requestId: '10' });
  await service.until(() => service.record.cancelled.length === 1);
  const cancelled = service.record
    .of('tools/call')
    .find(({ messages }) => messages[0]!.id === service.record.cancelled[0]);
  expect(cancelled!.key).toBe('string');
  release();
  expect(await bridge.reply(10)).toMatchObject({ result: { content: [{ text: 'slow number' }] } });
});

test('BR6 a cancellation of something unknown or already answered is not passed on', async () => {
  const { service, bridge } = await useBridged();
  await bridge.callTool('read', {}, { id: 'done' });
  bridge.notify('notifications/cancelled', { requestId: 'done' });
  bridge.notify('notifications/cancelled', { requestId: 'never' });
  bridge.notify('notifications/cancelled', {});
  bridge.notify('notifications/cancelled');
  expect(await bridge.callTool('read')).toHaveProperty('result');
  await bridge.close();
  expect(service.record.of('notifications/cancelled')).toEqual([]);
  expectOneReplyEach(bridge, ['done']);
});

test('BR6 BR13 cancellations that race with answers leave at most one reply each, and no mix-up', async () => {
  const { service, bridge } = await useBridged();
  const ids = Array.from({ length: 60 }, (_, i) => `race-${i}`);
  for (const [i, id] of ids.entries()) {
    bridge.send({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'echo', arguments: { value: id, ms: i % 10 } },
    });
    if (i % 2 === 0) bridge.notify('notifications/cancelled', { requestId: id });
  }
  const kept = ids.filter((_, i) => i % 2 === 1);
  await Promise.all(kept.map((id) => bridge.reply(id)));
  await bridge.close();
  expectOneReplyEach(bridge, kept);
  for (const id of ids) {
    const replies = bridge.repliesTo(id);
    expect(replies.length).toBeLessThanOrEqual(1);
    for (const reply of replies)
      expect(reply).toMatchObject({ result: { structuredContent: { value: id } } });
  }
  expect(service.record.handshakes).toBe(1);
});

test('BR6 `initialize` is never cancelled at the service, neither by the client nor by the end', async () => {
  const service = await useService();
  service.once({ rpc: 'initialize' }, hang);
  const bridge = await useBridge(service);
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  bridge.send({ jsonrpc: '2.0', id: 'init', method: 'initialize', params });
  await service.until(() => service.record.of('initialize').length === 1);
  bridge.notify('notifications/cancelled', { requestId: 'init' });
  // Answered by the bridge itself: the cancellation has been read by now.
  await bridge.request('ping', {}, { id: 'after' });
  expect((await bridge.close()).code).toBe(0);
  expect(service.record.of('notifications/cancelled')).toEqual([]);
});

test("BR6 the service's cancellation of its own request reaches the client under the id that the client knows", async () => {
  const { service, bridge } = await useBridged();
  service.pushRaw('{"jsonrpc":"2.0","id":"svc-1","method":"roots/list"}');
  service.pushRaw('{"jsonrpc":"2.0","id":"svc-2","method":"roots/list"}');
  await bridge.until(() => bridge.messages.filter(({ method }) => method === 'roots/list').length === 2);
  const second = bridge.messages.filter(({ method }) => method === 'roots/list')[1]!;
  service.notify('notifications/cancelled', { requestId: 'svc-2', reason: 'too late' });
  const cancelled = await bridge.next(({ method }) => method === 'notifications/cancelled');
  expect(cancelled.params).toEqual({ requestId: second.id, reason: 'too late' });
});
