// The scripted service while nothing is wrong: what tests of the bridge take for granted.
import { Agent, request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { answerOf, eventsOf, McpHttp } from './mcp-http.ts';
import { useService } from './use.ts';
import { asSse, resumable } from './scripted-service.ts';

test('shakes hands, lists its tools with annotations and calls them', async () => {
  const service = await useService();
  const client = new McpHttp(service.url);
  const initialized = await client.initialize('2025-06-18');
  expect(initialized.result).toMatchObject({
    protocolVersion: '2025-06-18',
    serverInfo: { name: 'scripted-service' },
  });

  const { result } = await answerOf(await client.request('tools/list'));
  const { tools } = result as { tools: { name: string; annotations?: object }[] };
  expect(tools.find(({ name }) => name === 'read')?.annotations).toEqual({ readOnlyHint: true });
  expect(tools.find(({ name }) => name === 'write')).not.toHaveProperty('annotations');

  const called = await answerOf(await client.call('write', { key: 'one' }));
  expect(called.result).toEqual({ content: [{ type: 'text', text: 'write one' }] });
  expect(service.record.executions).toEqual(new Map([['one', 1]]));
  expect(service.record.handshakes).toBe(1);
  expect(service.record.requests.map(({ rpc }) => rpc)).toEqual([
    'initialize',
    'notifications/initialized',
    'tools/list',
    'tools/call',
  ]);
});

test.each([
  ['no session id', undefined, 400],
  ['a session id that nobody gave out', 'stranger', 404],
])('refuses %s', async (_what, sessionId, expected) => {
  const service = await useService();
  const client = new McpHttp(service.url);
  client.sessionId = sessionId;
  expect((await client.request('ping')).status).toBe(expected);
});

test('ends a session on DELETE, and forgets all of them when told to', async () => {
  const service = await useService();
  const client = new McpHttp(service.url);
  await client.initialize();
  expect(service.sessionCount).toBe(1);
  await client.open('DELETE');
  expect(service.record.deleted).toEqual([client.sessionId]);
  expect((await client.request('ping')).status).toBe(404);

  await client.initialize();
  service.forgetSessions();
  expect((await client.request('ping')).status).toBe(404);
});

test('serves without sessions where it keeps none', async () => {
  const service = await useService({ sessions: false });
  const client = new McpHttp(service.url);
  await client.initialize();
  expect(client.sessionId).toBeUndefined();
  expect(await answerOf(await client.request('ping'))).toMatchObject({ result: {} });
});

test('answers with the text of an id, whatever number it is', async () => {
  const service = await useService();
  const client = new McpHttp(service.url);
  await client.initialize();
  for (const id of ['12345678901234567890', '-1', '0', '"1"', '1.50']) {
    const response = await client.post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    expect(await response.text()).toBe(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
  }
});

test('streams progress and log messages ahead of the answer', async () => {
  const service = await useService({ answers: 'sse' });
  const client = new McpHttp(service.url);
  await client.initialize();
  const response = await client.request('tools/call', {
    name: 'progress',
    arguments: { steps: 2 },
    _meta: { progressToken: 7 },
  });
  const methods = eventsOf(await response.text()).map(
    ({ data }) => (JSON.parse(data) as { method?: string }).method,
  );
  expect(methods).toEqual([
    'notifications/progress',
    'notifications/message',
    'notifications/progress',
    'notifications/message',
    undefined,
  ]);
});

test('asks the client on a POST stream and hands the answer to the tool', async () => {
  const service = await useService({ answers: 'sse' });
  const client = new McpHttp(service.url);
  await client.initialize();
  const response = await client.call('ask', { method: 'roots/list' });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('\n\n')) text += (await reader.read()).value;
  const asked = JSON.parse(eventsOf(text)[0]!.data) as { id: string; method: string };
  expect(asked.method).toBe('roots/list');

  expect((await client.post({ jsonrpc: '2.0', id: asked.id, result: { roots: [] } })).status).toBe(202);
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  expect(eventsOf(text)[1]!.data).toContain('roots');
  expect(service.record.answers).toHaveLength(1);
});

test('pushes on the GET stream, keeps what was missed and replays it', async () => {
  const service = await useService();
  const client = new McpHttp(service.url);
  await client.initialize();
  const first = await client.open('GET');
  expect(service.notify('notifications/tools/list_changed')).toBe(1);
  service.cutGetStreams();
  const [seen] = eventsOf(await first.text());
  expect(seen!.data).toContain('list_changed');

  expect(service.notify('notifications/message', { data: 'missed' })).toBe(0);
  const again = await client.open('GET', { 'last-event-id': seen!.id! });
  service.cutGetStreams();
  const replayed = eventsOf(await again.text());
  expect(replayed.map(({ data }) => data).join()).toContain('missed');
  expect(replayed).toHaveLength(1);
});

test('offers no GET stream when told so', async () => {
  const service = await useService({ getStream: false });
  const client = new McpHttp(service.url);
  await client.initialize();
  expect((await client.open('GET')).status).toBe(405);
});

test('gives the answer of an interrupted POST stream to whoever resumes it', async () => {
  const service = await useService();
  const client = new McpHttp(service.url);
  await client.initialize();
  service.once({ tool: 'write' }, resumable({ retryMs: 20 }));
  const interrupted = await (await client.call('write', { key: 'k' })).text();
  expect(interrupted).toContain('retry: 20\n');
  const lastEventId = /^id: (.*)$/m.exec(interrupted)![1]!;
  const [answer] = eventsOf(await (await client.open('GET', { 'last-event-id': lastEventId })).text());
  expect(answer!.data).toContain('write k');
  expect(service.record.executions.get('k')).toBe(1);
});

test('gives no answer to a call that was cancelled', async () => {
  const service = await useService();
  const client = new McpHttp(service.url);
  await client.initialize();
  service.once({ tool: 'slow' }, asSse);
  const response = await client.post({
    jsonrpc: '2.0',
    id: 'call',
    method: 'tools/call',
    params: { name: 'slow', arguments: { ms: 60_000, key: 'slow' } },
  });
  await client.notify('notifications/cancelled', { requestId: 'call' });
  expect(await response.text()).toBe('');
  expect(service.record.cancelled).toEqual(['call']);
});

test('speaks HTTP+SSE of 2024-11-05 when told to', async () => {
  const service = await useService({ legacyPath: '/sse' });
  expect((await new McpHttp(service.url).request('ping')).status).toBe(405);

  const stream = await fetch(service.url);
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  const [endpoint] = eventsOf((await reader.read()).value!);
  expect(endpoint!.event).toBe('endpoint');
  const client = new McpHttp(service.origin + endpoint!.data);
  expect((await client.request('ping')).status).toBe(202);
  expect(eventsOf((await reader.read()).value!)[0]!.data).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
  await reader.cancel();
});

test('records headers, body bytes and the socket of each request', async () => {
  const service = await useService({ sessions: false });
  const dispatcher = new Agent({ connections: 1 });
  onTestFinished(() => dispatcher.destroy());
  const body = '{ "jsonrpc": "2.0", "id": 1, "method": "ping" }';
  for (const extra of ['one', 'two']) {
    const response = await request(service.url, {
      method: 'POST',
      headers: { 'x-extra': extra },
      body,
      dispatcher,
    });
    await response.body.dump();
  }
  const [first, second] = service.record.requests;
  expect(first!.headers['x-extra']).toBe('one');
  expect(first!.text).toBe(body);
  expect(second!.socket).toBe(first!.socket);
  expect(service.socketsOpened).toBe(1);
});

test('says what it saw when something awaited does not happen', async () => {
  const service = await useService();
  await new McpHttp(service.url).initialize();
  await expect(service.until(() => service.record.handshakes === 2, 20)).rejects.toThrow(
    /Not within 20 ms.*\n.*initialize/,
  );
});
