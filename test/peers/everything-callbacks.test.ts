// What the MCP project's reference server asks of and tells its client, on whichever stream it chooses: questions,
// notifications, progress, cancellation, tasks. The client behind the bridge must live through it as any other.
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Message } from './support/json-rpc.ts';
import { everythingTransports, startEverything } from './support/everything.ts';
import type { RecordingProxy } from './support/recording-proxy.ts';
import { blockScope, testScope, until } from './support/scope.ts';
import { connectThroughBridge, type BridgedPeer } from './support/sdk-client.ts';

describe.each(everythingTransports)('the reference server over $name', ({ transport, path }) => {
  const scope = blockScope();
  let wire: RecordingProxy;
  let peer: BridgedPeer;

  beforeAll(async () => {
    const everything = await startEverything(scope, transport);
    wire = await everything.proxy();
    peer = await connectThroughBridge(scope, wire.origin + path);
    await wire.listens();
  });

  test('BR5 roots: the server asks for them, and again when the client says that they changed', async () => {
    expect(await peer.callText('get-roots-list')).toContain('no roots are currently configured');
    const before = peer.heard('roots/list').length;
    expect(before).toBeGreaterThan(0);

    peer.roots = [{ uri: 'file:///tmp/first', name: 'First' }, { uri: 'file:///tmp/with%20space' }];
    await peer.client.sendRootsListChanged();
    await peer.hears('roots/list', before + 1);
    await until('the server to have heard of 2 roots', () =>
      peer
        .heard('notifications/message')
        .some(({ params }) => String(params.data).startsWith('Roots updated: 2 ')),
    );
    const text = await peer.callText('get-roots-list');
    expect(text).toContain('1. First\n   URI: file:///tmp/first');
    expect(text).toContain('2. Unnamed Root\n   URI: file:///tmp/with%20space');
  });

  test('BR5 sampling: a tool asks the client for a message while its call runs, and gets it', async () => {
    const before = peer.heard('sampling/createMessage').length;
    const text = await peer.callText('trigger-sampling-request', { prompt: 'Why "quoted"?', maxTokens: 7 });
    expect(peer.heard('sampling/createMessage')).toHaveLength(before + 1);
    expect(peer.heard('sampling/createMessage')[before]?.params).toMatchObject({
      maxTokens: 7,
      temperature: 0.7,
    });
    const sampled = JSON.parse(text.slice(text.indexOf('{'))) as { model: string; content: { text: string } };
    expect(sampled.model).toBe('a-model');
    expect(sampled.content.text).toContain(String.raw`Why \"quoted\"?`);
  });

  test.each([
    [{ action: 'accept', content: { name: 'Ada', integer: 7, check: true, email: 'ada@example.org' } }, '✅'],
    [{ action: 'decline' }, '❌'],
    [{ action: 'cancel' }, '⚠️'],
  ] as const)('BR5 elicitation: the answer %j reaches the tool that asked', async (answer, mark) => {
    peer.elicited = structuredClone(answer);
    const result = await peer.client.callTool({ name: 'trigger-elicitation-request' });
    const blocks = result.content as { text: string }[];
    expect(blocks[0]?.text).toContain(mark);
    const raw = blocks.at(-1)?.text ?? '';
    expect(JSON.parse(raw.slice(raw.indexOf('{')))).toEqual(answer);
  });

  test('BR4 BR5 elicitation by URL: as a question, and as an error whose data arrives whole', async () => {
    peer.elicited = { action: 'accept' };
    const args = { url: 'https://example.org/a?b=c&d=%20', elicitationId: `id-${transport}` };
    expect(await peer.callText('trigger-url-elicitation', args)).toContain(`Elicitation ID: id-${transport}`);
    expect(peer.heard('elicitation/create').at(-1)?.params).toMatchObject({ mode: 'url', ...args });

    const refusal = peer.client.callTool({
      name: 'trigger-url-elicitation',
      arguments: { url: 'https://example.org/', errorPath: true },
    });
    await expect(refusal).rejects.toMatchObject({
      code: -32042,
      data: { elicitations: [{ mode: 'url', url: 'https://modelcontextprotocol.io' }] },
    });
  });

  test('BR5 subscriptions: updates come for what is subscribed to, and for nothing else', async () => {
    const [first, second] = ['demo://resource/dynamic/text/1', 'demo://resource/dynamic/text/2'];
    await peer.client.subscribeResource({ uri: first });
    await peer.client.subscribeResource({ uri: second });
    await peer.callText('toggle-subscriber-updates');
    await peer.hears('notifications/resources/updated', 2);
    const uris = () =>
      peer.heard('notifications/resources/updated').map(({ params }) => params.uri as string);
    expect(uris()).toEqual([first, second]);

    // The server goes through its subscriptions in order, so word of the second proves that none of the first is to come.
    await peer.callText('toggle-subscriber-updates');
    await peer.client.unsubscribeResource({ uri: first });
    await peer.callText('toggle-subscriber-updates');
    await peer.hears('notifications/resources/updated', 3);
    expect(uris()).toEqual([first, second, second]);
    await peer.callText('toggle-subscriber-updates');
  });

  test('BR7 logging: messages flow at the level that the client has set, not below', async () => {
    const about = (uri: string) =>
      peer.heard('notifications/message').filter(({ params }) => String(params.data).includes(uri));
    await peer.client.setLoggingLevel('error');
    await peer.client.subscribeResource({ uri: 'demo://resource/quiet' });
    await peer.client.setLoggingLevel('debug');
    await peer.client.subscribeResource({ uri: 'demo://resource/loud' });
    await until('a message about the loud one', () => about('demo://resource/loud').length === 1);
    expect(about('demo://resource/quiet')).toEqual([]);

    const before = peer.heard('notifications/message').length;
    await peer.callText('toggle-simulated-logging');
    const message = await peer.hears('notifications/message', before + 1);
    expect(message.params).toMatchObject({
      level: expect.any(String) as string,
      data: expect.any(String) as string,
    });
    await peer.callText('toggle-simulated-logging');
  });

  // What arrived is compared, not what the SDK calls back with: it drops progress that comes in one chunk with the answer.
  const progressIn = (messages: Message[], total: number) =>
    messages
      .filter(({ method, params }) => method === 'notifications/progress' && params.total === total)
      .map(({ params }) => params.progress as number);
  const runSteps = (duration: number, steps: number) =>
    peer.client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration, steps } },
      undefined,
      {
        onprogress: () => undefined,
      },
    );

  test('BR7 progress arrives in order, all of it before the answer', async () => {
    const from = peer.received.length;
    const { content } = await runSteps(0.5, 10);
    const text = 'Long running operation completed. Duration: 0.5 seconds, Steps: 10.';
    expect(content).toEqual([{ type: 'text', text }]);
    const heard = peer.received.slice(from);
    expect(progressIn(heard, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(heard.at(-1)?.result).toEqual({ content });
  });

  test('BR3 BR7 a long call holds up no other, and progress of several goes to the right one', async () => {
    const from = peer.received.length;
    let isLongOver = false;
    const long = Promise.all([runSteps(0.6, 3), runSteps(0.6, 4)]).finally(() => (isLongOver = true));
    expect(await peer.callText('echo', { message: 'meanwhile' })).toBe('Echo: meanwhile');
    expect(isLongOver).toBe(false);
    await long;
    const heard = peer.received.slice(from);
    expect(progressIn(heard, 3)).toEqual([1, 2, 3]);
    expect(progressIn(heard, 4)).toEqual([1, 2, 3, 4]);
    const tokens = (total: number) =>
      new Set(
        heard.filter(({ params }) => params?.total === total).map(({ params }) => params.progressToken),
      );
    expect([tokens(3).size, tokens(4).size, new Set([...tokens(3), ...tokens(4)]).size]).toEqual([1, 1, 2]);
  });

  test('BR6 a cancelled call: the server hears of it under the id that it knows, and no answer comes', async () => {
    const aborter = new AbortController();
    const from = peer.received.length;
    const call = peer.client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.6, steps: 3 } },
      undefined,
      { signal: aborter.signal, onprogress: () => aborter.abort('no longer wanted') },
    );
    await expect(call).rejects.toThrow('no longer wanted');

    const cancelled = await until(
      'the cancellation at the server',
      () => wire.sent('notifications/cancelled')[0],
    );
    const sent = wire.sent('tools/call').findLast(({ params }) => params.arguments.duration === 0.6);
    expect(cancelled.params.requestId).toBe(sent?.id);
    expect(cancelled.params.reason).toBe('no longer wanted');

    // The operation would have ended by now; everything after it still works.
    expect(await peer.callText('trigger-long-running-operation', { duration: 0.7, steps: 1 })).toContain(
      'completed',
    );
    expect(peer.received.slice(from).filter((message) => message.method === undefined)).toHaveLength(1);
    expect(wire.sent('notifications/cancelled')).toHaveLength(1);
  });

  test('BR5 list_changed: a resource that a call has made is announced, listed and readable', async () => {
    const before = peer.heard('notifications/resources/list_changed').length;
    const data = `data:text/plain,${'a'.repeat(500)}`;
    const name = `made-over-${transport}.gz`;
    const { content } = await peer.client.callTool({
      name: 'gzip-file-as-resource',
      arguments: { name, data },
    });
    expect(content).toMatchObject([{ type: 'resource_link', name }]);
    await peer.hears('notifications/resources/list_changed', before + 1);

    const { resources } = await peer.client.listResources();
    const { uri = '' } = resources.find((resource) => resource.name === name) ?? {};
    const [read] = (await peer.client.readResource({ uri })).contents;
    expect(gunzipSync(Buffer.from((read as { blob: string }).blob, 'base64')).toString()).toBe(
      'a'.repeat(500),
    );
  });

  test('BR5 tasks: questions that the client answers as tasks are polled for and fetched', async () => {
    peer.elicited = { action: 'accept', content: { name: 'Grace', favoriteColor: 'Green' } };
    const [sampled, elicited] = await Promise.all([
      peer.callText('trigger-sampling-request-async', { prompt: 'later' }),
      peer.client.callTool({ name: 'trigger-elicitation-request-async' }),
    ]);
    expect(sampled).toMatch(/^\[COMPLETED\]/);
    expect(sampled).toContain('later');
    expect(JSON.stringify(elicited.content)).toContain('- Name: Grace');
    expect(peer.heard('tasks/get').length).toBeGreaterThanOrEqual(2);
    expect(peer.heard('tasks/result')).toHaveLength(2);
  });

  test('BR9 BR13 nothing but messages came, and every request of the client has exactly one reply', () => {
    expect(peer.errors).toEqual([]);
    const replies = peer.received.filter((message) => message.method === undefined).map(({ id }) => id);
    expect(new Set(replies).size).toBe(replies.length);
  });
});

// Over one transport only: it takes five seconds, and servers that run tasks are younger than the legacy transport.
test('BR5 tasks: a call run as a task asks its question in the answer to tasks/result', async () => {
  const scope = testScope();
  const wire = await (await startEverything(scope, 'streamableHttp')).proxy();
  const peer = await connectThroughBridge(scope, `${wire.origin}/mcp`);
  peer.elicited = { action: 'accept', content: { interpretation: 'historical' } };
  // The client runs a tool as a task only when it has seen in the list that the tool wants to be run so.
  await peer.client.listTools();
  const statuses: string[] = [];
  let report = '';
  const call = { name: 'simulate-research-query', arguments: { topic: 'bridges', ambiguous: true } };
  for await (const step of peer.client.experimental.tasks.callToolStream(call)) {
    if (step.type === 'taskStatus') statuses.push(step.task.status);
    if (step.type === 'result') report = JSON.stringify(step.result);
    if (step.type === 'error') throw step.error;
  }
  expect(statuses).toContain('working');
  expect(statuses).toContain('input_required');
  expect(report).toContain('Research Report: bridges (historical)');
});
