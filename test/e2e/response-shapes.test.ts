// Every shape in which a service may answer, and both transports, through the real program.
import { expect, test } from 'vitest';
import {
  accepted,
  asJson,
  asSse,
  batchAnswer,
  changed,
  emptyOk,
  heldUntil,
  nullIdError,
  rawSse,
  resumable,
  sseEvent,
  sseWithoutAnswer,
  status,
} from '../support/scripted-service.ts';
import { expectBridgeError, expectOneReplyEach, useBridge, useBridged, useService } from '../support/use.ts';

test('BR1 relays a conversation until stdin ends', async () => {
  const service = await useService();
  const bridge = await useBridge(service);
  expect((await bridge.initialize()).result).toMatchObject({ serverInfo: { name: 'scripted-service' } });
  expect((await bridge.request('tools/list')).result).toHaveProperty('tools');
  expect((await bridge.callTool('write', { key: 'k' })).result).toEqual({
    content: [{ type: 'text', text: 'write k' }],
  });
  expect((await bridge.close()).code).toBe(0);
  expect(service.record.executions.get('k')).toBe(1);
  expect(service.record.handshakes).toBe(1);
});

test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
  'BR2 the revision is the one that client and service agree on: %s',
  async (protocolVersion) => {
    const { service, bridge } = await useBridged({ client: { protocolVersion } });
    expect(bridge.messages[0]!.result).toMatchObject({ protocolVersion });
    await bridge.callTool('read');
    const asked = service.record.of('initialize')[0]!;
    expect(asked.messages[0]!.params).toMatchObject({ protocolVersion, clientInfo: { name: 'raw-client' } });
    expect(service.record.of('tools/call')[0]!.headers['mcp-protocol-version']).toBe(protocolVersion);
  },
);

test('BR2 when the service answers with another revision, that one counts', async () => {
  const service = await useService();
  const bridge = await useBridge(service);
  const answer = await bridge.initialize({ protocolVersion: '2099-01-01' });
  expect(answer.result).toMatchObject({ protocolVersion: '2025-11-25' });
  await bridge.callTool('read');
  expect(service.record.of('initialize')[0]!.text).toContain('2099-01-01');
  expect(service.record.of('tools/call')[0]!.headers['mcp-protocol-version']).toBe('2025-11-25');
});

test.each([400, 404, 405])('BR2 finds HTTP+SSE where POST fails with %i', async (code) => {
  const service = await useService({ legacyPath: '/sse' });
  service.always({ http: 'POST', when: ({ path }) => path === '/sse' }, status(code));
  const bridge = await useBridge(service);
  expect((await bridge.initialize({ protocolVersion: '2024-11-05' })).result).toBeDefined();
  const ids = Array.from({ length: 30 }, (_, i) => `call-${i}`);
  for (const id of ids) {
    bridge.send({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'echo', arguments: { value: id, ms: 5 } },
    });
  }
  for (const id of ids)
    expect(await bridge.reply(id)).toMatchObject({ result: { structuredContent: { value: id } } });
  expectOneReplyEach(bridge, ids);
  const asked = service.ask('roots/list');
  const { id } = await bridge.next(({ method }) => method === 'roots/list');
  bridge.send({ jsonrpc: '2.0', id, result: { roots: [] } });
  expect(await asked).toMatchObject({ result: { roots: [] } });
  expect((await bridge.close()).code).toBe(0);
  await service.until(() => service.openSockets === 0);
  expect(service.record.handshakes).toBe(1);
});

test('BR2 BR6 cancels over HTTP+SSE', async () => {
  const { service, bridge } = await useBridged({ service: { legacyPath: '/sse' } });
  bridge.send({
    jsonrpc: '2.0',
    id: 'c',
    method: 'tools/call',
    params: { name: 'slow', arguments: { ms: 60_000 } },
  });
  await service.until(() => service.record.of('tools/call').length === 1);
  bridge.notify('notifications/cancelled', { requestId: 'c' });
  await service.until(() => service.record.cancelled.length === 1);
  expect(service.record.cancelled[0]).toEqual(service.record.of('tools/call')[0]!.messages[0]!.id);
  await bridge.close();
  expect(bridge.repliesTo('c')).toEqual([]);
});

test.each([
  ['a JSON body', asJson],
  ['an event stream', asSse],
  ['JSON with a charset', changed((answer) => answer, 'application/json; charset=utf-8')],
  ['JSON in capitals', changed((answer) => answer, 'Application/JSON')],
  ['an array with the one answer', batchAnswer],
])('BR8 takes %s', async (_what, action) => {
  const { service, bridge } = await useBridged({ client: { protocolVersion: '2025-03-26' } });
  service.once({ tool: 'read' }, action);
  expect(await bridge.callTool('read', { key: 'k' })).toMatchObject({
    result: { content: [{ text: 'read k' }] },
  });
  expect(service.record.executions.get('k')).toBe(1);
});

const answer = (id: string): string => `{"jsonrpc":"2.0","id":${id},"result":{"text":"ż😀"}}`;

test.each<[string, (id: string) => string]>([
  ['comments and unknown fields', (id) => `: hello\n\nfoo: bar\n${sseEvent(answer(id))}`],
  ['no space after the colon', (id) => `event:message\ndata:${answer(id)}\n\n`],
  ['CRLF', (id) => `event: message\r\ndata: ${answer(id)}\r\n\r\n`],
  ['lone CR', (id) => `data: ${answer(id)}\r\r`],
  ['a byte order mark', (id) => `\uFEFFdata: ${answer(id)}\n\n`],
  [
    "events of other types, which are not MCP's",
    (id) => `event: other\ndata: not json\n\n${sseEvent(answer(id))}`,
  ],
  ['empty events', (id) => `id: 1\ndata:\n\nid: 2\ndata: \n\n${sseEvent(answer(id))}`],
])('BR8 reads an event stream with %s', async (_what, body) => {
  const { service, bridge } = await useBridged();
  service.once({ tool: 'read' }, rawSse(body));
  expect(await bridge.callTool('read')).toMatchObject({ result: { text: 'ż😀' } });
});

test('BR8 puts together an event that comes byte by byte', async () => {
  const { service, bridge } = await useBridged();
  service.once({ tool: 'read' }, async ({ res, idText }) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const byte of Buffer.from(`id: ż\r\n${sseEvent(answer(idText))}`)) {
      res.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    res.end();
  });
  expect(await bridge.callTool('read')).toMatchObject({ result: { text: 'ż😀' } });
});

test('BR8 takes a 202 without a body to notifications, and any other success too', async () => {
  const { service, bridge } = await useBridged();
  service.once({ rpc: 'notifications/one' }, status(200, ''));
  service.once({ rpc: 'notifications/two' }, status(204, ''));
  for (const method of ['notifications/one', 'notifications/two', 'notifications/three'])
    bridge.notify(method);
  await service.until(() => service.record.of('notifications/three').length === 1);
  expect(await bridge.callTool('read')).toHaveProperty('result');
  expect(bridge.lines).toHaveLength(2);
});

test.each([
  ['202', accepted],
  ['an empty 200', emptyOk],
  ['a stream that ends without it and gave no id', sseWithoutAnswer],
])('BR8 BR13 a call whose answer never comes because of %s gets an error', async (_what, action) => {
  const { service, bridge } = await useBridged({ launch: { args: ['--tool-timeout-ms', '3000'] } });
  service.always({ tool: 'write' }, action);
  const reply = await bridge.callTool('write', { key: 'k' }, { id: 'w' });
  expect(expectBridgeError(reply)).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
  expect(service.record.of('tools/call')).toHaveLength(1);
  await bridge.close();
  expectOneReplyEach(bridge, ['w']);
});

test('BR8 gives an error with a null id to the request that it answers', async () => {
  const { service, bridge } = await useBridged();
  service.once({ tool: 'read' }, nullIdError);
  expect(await bridge.callTool('read', {}, { id: 'r' })).toMatchObject({ id: 'r', error: { code: -32600 } });
});

test.each([
  ['ended', {}],
  ['cut', { cut: true }],
])(
  'BR8 resumes a stream that was %s before the answer, after the wait that the service asked for',
  async (_what, how) => {
    const { service, bridge } = await useBridged();
    service.once({ tool: 'write' }, resumable({ retryMs: 300, ...how }));
    expect(await bridge.callTool('write', { key: 'k' })).toMatchObject({
      result: { content: [{ text: 'write k' }] },
    });
    expect(service.record.executions.get('k')).toBe(1);
    const [post] = service.record.of('tools/call');
    const resumed = service.record.by('GET').find(({ headers }) => headers['last-event-id'] !== undefined);
    expect(resumed!.at - post!.at).toBeGreaterThan(290);
    expect(resumed!.sessionId).toBe(post!.sessionId);
  },
);

test('BR8 resumes as often as the stream is interrupted, and repeats no message', async () => {
  const { service, bridge } = await useBridged();
  const note = (text: string): string =>
    `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${text}"}}`;
  service.once({ tool: 'write' }, async (exchange) => {
    const stream = exchange.openStream();
    stream.retry(10);
    stream.send(note('before'));
    const given = (await exchange.execute())!;
    stream.cut();
    for (let round = 1; round <= 3; round += 1) {
      await service.until(() => stream.isOpen);
      stream.retry(10);
      stream.send(note(`round ${round}`));
      stream.cut();
    }
    await service.until(() => stream.isOpen);
    stream.send(given);
    stream.complete();
  });
  expect(await bridge.callTool('write', { key: 'k' })).toHaveProperty('result');
  expect(
    bridge.messages.filter(({ method }) => method !== undefined).map(({ params }) => params!['data']),
  ).toEqual(['before', 'round 1', 'round 2', 'round 3']);
  expect(service.record.executions.get('k')).toBe(1);
});

test('BR8 resumes again from where it was when a resumption brought nothing, after the same wait', async () => {
  const { service, bridge } = await useBridged();
  const resumes = ({ headers }: { headers: Record<string, unknown> }): boolean =>
    headers['last-event-id'] !== undefined;
  service.once({ tool: 'write' }, resumable({ retryMs: 600 }));
  service.once(
    { http: 'GET', when: resumes },
    rawSse(() => ': not yet\n\n'),
  );
  const reply = await bridge.callTool('write', { key: 'k' });
  expect(reply).toMatchObject({ result: { content: [{ text: 'write k' }] } });
  const [first, second, ...more] = service.record.requests.filter(resumes);
  expect(more).toEqual([]);
  expect(second!.headers['last-event-id']).toBe(first!.headers['last-event-id']);
  expect(second!.at - first!.at).toBeGreaterThan(590);
  expect(service.record.executions.get('k')).toBe(1);
});

test('BR8 BR13 a stream that cannot be resumed ends in an error, and the write is not repeated', async () => {
  const { service, bridge } = await useBridged({ launch: { args: ['--tool-timeout-ms', '3000'] } });
  service.once({ tool: 'write' }, async (exchange) => {
    const stream = exchange.openStream();
    stream.retry(10);
    stream.prime();
    await exchange.execute();
    stream.cut();
  });
  service.always({ http: 'GET', when: ({ headers }) => headers['last-event-id'] !== undefined }, status(400));
  expect(expectBridgeError(await bridge.callTool('write', { key: 'k' }))).toBe(
    'ERR_UPSTREAM_OUTCOME_UNKNOWN',
  );
  expect(service.record.executions.get('k')).toBe(1);
});

test('BR8 splits a batch of revision 2025-03-26 or sends it whole, and answers it with one array', async () => {
  const { service, bridge } = await useBridged({ client: { protocolVersion: '2025-03-26' } });
  bridge.send([
    {
      jsonrpc: '2.0',
      id: 'a',
      method: 'tools/call',
      params: { name: 'write', arguments: { key: 'a', ms: 20 } },
    },
    { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
    { jsonrpc: '2.0', id: 'b', method: 'prompts/list' },
    { jsonrpc: '2.0', id: 'c', method: 'no/such/method' },
  ]);
  await Promise.all(['a', 'b', 'c'].map((id) => bridge.reply(id)));
  expectOneReplyEach(bridge, ['a', 'b', 'c']);
  expect(bridge.lines).toHaveLength(2);
  expect(JSON.parse(bridge.lines[1]!.toString())).toHaveLength(3);
  const methods = service.record.requests.flatMap(({ messages }) => messages.map(({ method }) => method));
  expect(methods.filter((method) => method === 'notifications/roots/list_changed')).toHaveLength(1);
  expect(service.record.executions.get('a')).toBe(1);
});

test('BR8 sends nothing back for a batch of notifications', async () => {
  const { service, bridge } = await useBridged({ client: { protocolVersion: '2025-03-26' } });
  bridge.send([
    { jsonrpc: '2.0', method: 'notifications/one' },
    { jsonrpc: '2.0', method: 'notifications/two' },
  ]);
  const methods = (): unknown[] =>
    service.record.requests.flatMap(({ messages }) => messages.map(({ method }) => method));
  await service.until(() => methods().includes('notifications/two'));
  expect(methods()).toContain('notifications/one');
  await bridge.close();
  expect(bridge.lines).toHaveLength(1);
});

test('FB4 a service without sessions is served without one', async () => {
  const { service, bridge } = await useBridged({ service: { sessions: false, getStream: false } });
  const wait = service.until(() => service.record.of('tools/call').length === 20);
  service.always({ tool: 'read' }, heldUntil(wait));
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, i) => bridge.callTool('read', { key: `k${i}` })),
  );
  expect(replies.every(({ result }) => result !== undefined)).toBe(true);
  expect((await bridge.close()).code).toBe(0);
  expect(service.record.requests.filter(({ sessionId }) => sessionId !== undefined)).toEqual([]);
  expect(service.record.by('DELETE')).toEqual([]);
  expect(service.record.handshakes).toBe(1);
});
