// The SDK's own server in each of the shapes that it offers, behind the bridge.
import { beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from './support/child.ts';
import { blockScope, pause, testScope, until } from './support/scope.ts';
import { connectThroughBridge, type BridgedPeer } from './support/sdk-client.ts';
import { SdkService, type ServiceShape } from './support/sdk-server.ts';
import { fairMs } from '../support/fair-time.ts';

const shapes: { name: string; shape: ServiceShape }[] = [
  { name: 'with sessions, answering by event stream', shape: {} },
  { name: 'with sessions, answering by JSON', shape: { json: true } },
  { name: 'without sessions, answering by event stream', shape: { sessions: false } },
  { name: 'without sessions, answering by JSON', shape: { sessions: false, json: true } },
];

describe.each(shapes)('the SDK server $name', ({ shape }) => {
  const scope = blockScope();
  let service: SdkService;
  let peer: BridgedPeer;

  beforeAll(async () => {
    service = await SdkService.start(scope, shape);
    peer = await connectThroughBridge(scope, service.url);
  });

  test('BR1 BR8 FB4 the handshake and a call work, and the body comes in the shape that the server chose', async () => {
    expect(peer.client.getServerVersion()).toEqual({ name: 'sdk-service', version: '1.0.0' });
    expect(peer.client.getInstructions()).toBe('Count with care.');
    expect(await peer.callText('add', { a: 2, b: 40 })).toBe('42');
    expect(service.executions).toEqual({ add: 1 });
    const call = service.requests.find(({ messages }) => messages[0]?.method === 'tools/call');
    expect(call?.responseHeaders.get('content-type')).toBe(
      shape.json ? 'application/json' : 'text/event-stream',
    );
  });

  test('BR3 FB4 100 calls at once get each their own answer, and each runs once', async () => {
    const before = service.executions['add'] ?? 0;
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const answers = await Promise.all(numbers.map((n) => peer.callText('add', { a: n, b: 1000 })));
    expect(answers).toEqual(numbers.map((n) => String(n + 1000)));
    expect(service.executions['add']).toBe(before + 100);
  });

  test('BR6 FB4 a call that the client cancels gets no answer, and the next ones do', async () => {
    const aborter = new AbortController();
    const from = peer.received.length;
    const call = peer.client.callTool({ name: 'wait', arguments: { ms: 250 } }, undefined, {
      signal: aborter.signal,
    });
    await until('the call at the service', () => service.executions['wait'] === 1);
    aborter.abort('enough');
    await expect(call).rejects.toThrow('enough');
    // A server without sessions cannot know which call is meant: it runs on, and its answer has to be dropped.
    if (shape.sessions !== false) await until('the cancellation', () => service.cancelled.length === 1);
    await pause(300);
    expect(await peer.callText('add', { a: 1, b: 1 })).toBe('2');
    expect(peer.received.slice(from).filter((message) => message.method === undefined)).toHaveLength(1);
  });

  test('BR2 FB4 a session id is sent when the server gave one, and none is made up when it did not', () => {
    const [handshake, ...later] = service.requests;
    const given = handshake?.responseHeaders.get('mcp-session-id') ?? undefined;
    expect(typeof given).toBe(shape.sessions === false ? 'undefined' : 'string');
    expect(handshake?.headers['mcp-session-id']).toBeUndefined();
    expect(later.length).toBeGreaterThan(100);
    for (const { headers } of later) {
      expect(headers['mcp-session-id']).toBe(given);
      expect(headers['mcp-protocol-version']).toBe('2025-11-25');
    }
  });

  test('BR1 FB4 all of this was one handshake, and at most one try to get the stream of the server', () => {
    expect(service.received('initialize')).toHaveLength(1);
    expect(service.received('notifications/initialized')).toHaveLength(1);
    expect(service.of('GET').length).toBeLessThanOrEqual(1);
    expect(peer.errors).toEqual([]);
  });
});

describe('the SDK server with sessions', () => {
  test.each([
    ['in the stream of the call', { json: false }, false],
    ['in the stream of the server, answers by event stream', { json: false }, true],
    ['in the stream of the server, answers by JSON', { json: true }, true],
  ])(
    'BR5 a question of the server %s reaches the client, and its answer the server',
    async (_, shape, onOwnStream) => {
      const scope = testScope();
      const service = await SdkService.start(scope, shape);
      const peer = await connectThroughBridge(scope, service.url);
      peer.roots = [{ uri: 'file:///a' }, { uri: 'file:///b' }];
      if (onOwnStream) await until('the stream of the server', () => service.of('GET').length === 1);
      expect(await peer.callText('ask', { onOwnStream })).toBe('file:///a file:///b');
      expect(peer.heard('roots/list')).toHaveLength(1);
    },
  );

  test('BR5 list_changed for tools reaches the client from the stream of the server', async () => {
    const scope = testScope();
    const service = await SdkService.start(scope);
    const peer = await connectThroughBridge(scope, service.url);
    await until('the stream of the server', () => service.of('GET').length === 1);
    await peer.callText('announce');
    await peer.hears('notifications/tools/list_changed');
    await peer.callText('announce');
    await peer.hears('notifications/tools/list_changed', 2);
    expect(peer.heard('notifications/tools/list_changed')).toHaveLength(2);
  });

  test('BR7 notifications of a call come in order and before its answer', async () => {
    const scope = testScope();
    const service = await SdkService.start(scope);
    const peer = await connectThroughBridge(scope, service.url);
    const from = peer.received.length;
    expect(await peer.callText('recite', { steps: 200 })).toBe('run 1 recited 200');
    const heard = peer.received
      .slice(from)
      .map(({ params }) => (params?.data as number | undefined) ?? 'answer');
    expect(heard).toEqual([...Array.from({ length: 200 }, (_, index) => index + 1), 'answer']);
  });

  test('BR10 a client that leaves ends its session, and the bridge is gone within two seconds', async () => {
    const scope = testScope();
    const service = await SdkService.start(scope);
    const peer = await connectThroughBridge(scope, service.url);
    const { pid } = peer;
    const running = peer.callText('wait', { ms: 30_000 }).catch(() => 'gone');
    await until('the call at the service', () => service.executions['wait'] === 1);
    expect(service.openSessions).toBe(1);
    expect(isAlive(pid)).toBe(true);

    const from = performance.now();
    await peer.client.close();
    await until('the end of the bridge', () => !isAlive(pid));
    expect(fairMs(from)).toBeLessThan(2_000);
    expect(await running).toBe('gone');
    expect(service.cancelled).toEqual(['wait']);
    await until('the end of the session', () => service.of('DELETE').length > 0);
    expect(service.of('DELETE')).toHaveLength(1);
    expect(service.openSessions).toBe(0);
  });
});
