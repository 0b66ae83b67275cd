// The client of SDK 2.x behind the bridge, in both ways that it has of finding out what it talks to.
import type { VersionNegotiationMode } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { isAlive } from './support/child.ts';
import { startEverything } from './support/everything.ts';
import { pause, testScope, until } from './support/scope.ts';
import { connectDirectly } from './support/sdk-client.ts';
import { connectSdk2 } from './support/sdk2-client.ts';
import { SdkService } from './support/sdk-server.ts';
import { fairMs } from '../support/fair-time.ts';

const modes: { mode: VersionNegotiationMode | undefined; name: string }[] = [
  { mode: undefined, name: 'by default' },
  { mode: 'auto', name: 'with version negotiation, which first launches a copy that only probes' },
];

describe.each(modes)('the SDK 2 client $name', ({ mode }) => {
  test('BR1 BR2 HS4 connects with one handshake, and is served as the era that the service speaks', async () => {
    const scope = testScope();
    const service = await SdkService.start(scope);
    const from = performance.now();
    const { client, errors } = await connectSdk2(scope, service.url, mode);
    // A probe that is not answered costs the client its whole time limit, a minute, before it tries `initialize`.
    expect(fairMs(from)).toBeLessThan(5_000);
    expect(client.getProtocolEra()).toBe('legacy');
    expect(client.getNegotiatedProtocolVersion()).toBe('2025-11-25');
    expect(client.getServerVersion()).toEqual({ name: 'sdk-service', version: '1.0.0' });
    const { content } = await client.callTool({ name: 'add', arguments: { a: 19, b: 23 } });
    expect(content).toEqual([{ type: 'text', text: '42' }]);
    expect(service.received('initialize')).toHaveLength(1);
    expect(service.received('server/discover')).toEqual([]);
    expect(service.received('tools/call')).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test('BR10 when it leaves, its session ends and nothing of it stays', async () => {
    const scope = testScope();
    const service = await SdkService.start(scope);
    const { client, pid } = await connectSdk2(scope, service.url, mode);
    const from = performance.now();
    await client.close();
    await until('the end of the bridge', () => !isAlive(pid));
    expect(fairMs(from)).toBeLessThan(2_000);
    await until('the end of the session', () => service.of('DELETE').length > 0);
    expect(service.of('DELETE')).toHaveLength(1);
    expect(service.openSessions).toBe(0);
  });
});

describe('the SDK 2 client at the reference server', () => {
  test('BR1 BR4 sees the tools, resources and prompts that a client connected directly sees', async () => {
    const scope = testScope();
    const everything = await startEverything(scope, 'streamableHttp');
    const url = async () => `${(await everything.proxy()).origin}/mcp`;
    const { client } = await connectSdk2(scope, await url(), 'auto');
    const direct = (await connectDirectly(scope, await url())).client;
    // Tools that need more of a client than this one offers are not offered to it.
    const { tools } = await client.listTools();
    const theirs = (await direct.listTools()).tools.filter(({ name }) =>
      tools.some((tool) => tool.name === name),
    );
    expect(tools).toEqual(theirs);
    expect(tools.length).toBeGreaterThan(12);
    expect((await client.listResources()).resources).toEqual((await direct.listResources()).resources);
    expect((await client.listPrompts()).prompts).toEqual((await direct.listPrompts()).prompts);
    const prompt = { name: 'args-prompt', arguments: { city: 'Oslo' } };
    expect(await client.getPrompt(prompt)).toEqual(await direct.getPrompt(prompt));
    const call = { name: 'get-structured-content', arguments: { location: 'New York' } };
    expect(await client.callTool(call)).toEqual(await direct.callTool(call));
  });

  test('BR5 BR6 BR7 answers its questions, hears progress and cancels', async () => {
    const scope = testScope();
    const wire = await (await startEverything(scope, 'streamableHttp')).proxy();
    const { client, received } = await connectSdk2(scope, `${wire.origin}/mcp`);
    await wire.listens();
    const roots = await client.callTool({ name: 'get-roots-list' });
    expect(JSON.stringify(roots.content)).toContain('file:///second');
    const sampled = await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'x', maxTokens: 9 },
    });
    expect(JSON.stringify(sampled.content)).toContain('Sampled 9');

    const steps = { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } };
    await client.callTool(steps, { onprogress: () => undefined });
    const progress = received.filter(({ method }) => method === 'notifications/progress');
    expect(progress.map(({ params }) => params.progress as number)).toEqual([1, 2, 3]);

    const aborter = new AbortController();
    const cancelled = client.callTool(steps, {
      signal: aborter.signal,
      onprogress: () => aborter.abort('enough'),
    });
    await expect(cancelled).rejects.toThrow();
    const notice = await until('the cancellation', () => wire.sent('notifications/cancelled')[0]);
    expect(notice.params.requestId).toBe(wire.sent('tools/call').at(-1)?.id);
    const from = received.length;
    await pause(400);
    expect(received.slice(from).filter(({ method }) => method === undefined)).toEqual([]);
  });
});
