// What the service asks and tells the client by itself, through the real program.
import { expect, test } from 'vitest';
import type { RpcMessage } from '../support/scripted-service.ts';
import { useBridged } from '../support/use.ts';

const isRequest = (message: RpcMessage): boolean => message.method !== undefined && message.id !== undefined;

const kinds = [
  [
    'sampling/createMessage',
    { messages: [], maxTokens: 5 },
    { role: 'assistant', content: { type: 'text', text: 'hi' }, model: 'm' },
  ],
  [
    'elicitation/create',
    { message: 'Sure?', requestedSchema: {} },
    { action: 'accept', content: { yes: true } },
  ],
  ['roots/list', {}, { roots: [{ uri: 'file:///tmp' }] }],
] as const;

test.each(kinds)(
  'BR5 %s on a POST stream reaches the client, and its answer the tool that asked',
  async (method, params, result) => {
    const { bridge } = await useBridged({ service: { answers: 'sse' } });
    bridge.send({
      jsonrpc: '2.0',
      id: 'call',
      method: 'tools/call',
      params: { name: 'ask', arguments: { method, params } },
    });
    const asked = await bridge.next((message) => message.method === method);
    expect(asked.params).toEqual(params);
    bridge.send({ jsonrpc: '2.0', id: asked.id, result });
    const reply = await bridge.reply('call');
    expect(JSON.parse((reply.result as { content: { text: string }[] }).content[0]!.text)).toMatchObject({
      result,
    });
  },
);

test.each(kinds)(
  'BR5 %s on the GET stream reaches the client, and its answer the service',
  async (method, params, result) => {
    const { service, bridge } = await useBridged();
    const answer = service.ask(method, params);
    const asked = await bridge.next((message) => message.method === method);
    expect(asked.params).toEqual(params);
    bridge.send({ jsonrpc: '2.0', id: asked.id, result });
    expect(await answer).toMatchObject({ result });
  },
);

test('BR5 an error that the client answers with reaches the service, with its data', async () => {
  const { service, bridge } = await useBridged();
  const answer = service.ask('roots/list');
  const { id } = await bridge.next(isRequest);
  const error = { code: -32000, message: 'The person said no', data: { reason: 'busy' } };
  bridge.send({ jsonrpc: '2.0', id, error });
  expect(await answer).toMatchObject({ error });
});

test("BR4 BR5 the client's answer arrives as it was written, under the id that the service used", async () => {
  const { service, bridge } = await useBridged();
  const ids = ['0', '-3', '"a\\"b"', '12345678901234567890', '"ż"'];
  for (const id of ids)
    service.pushRaw(`{"jsonrpc":"2.0","id":${id},"method":"roots/list","params":{"n":${id}}}`);
  await bridge.until(() => bridge.messages.filter(isRequest).length === ids.length);
  const asked = bridge.messages.filter(isRequest);
  // The client can tell them apart, and parameters are untouched.
  expect(new Set(asked.map(({ id }) => JSON.stringify(id))).size).toBe(ids.length);
  expect(asked.map(({ params }) => JSON.stringify(params))).toEqual(ids.map((id) => `{"n":${id}}`));
  const answerOf = (id: string): string =>
    `{"result":{"roots":[],"n":1.50,"z":"\\u0041"},"id":${id},"jsonrpc":"2.0"}`;
  for (const { id } of asked) bridge.send(answerOf(JSON.stringify(id)));
  const posted = (): string[] =>
    service.record.requests.filter(({ text }) => text.includes('roots')).map(({ text }) => text);
  await service.until(() => posted().length === ids.length);
  expect(posted().sort()).toEqual(ids.map(answerOf).sort());
});

test('BR5 twenty tools that ask at once each get the answer to their own question', async () => {
  const { bridge } = await useBridged({ service: { answers: 'sse' } });
  const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
  for (const name of names) {
    const params = { name: 'ask', arguments: { method: 'elicitation/create', params: { message: name } } };
    bridge.send({ jsonrpc: '2.0', id: name, method: 'tools/call', params });
  }
  await bridge.until(() => bridge.messages.filter(isRequest).length === names.length);
  for (const { id, params } of bridge.messages.filter(isRequest).reverse()) {
    bridge.send({ jsonrpc: '2.0', id, result: { action: 'accept', content: { for: params!['message'] } } });
  }
  for (const name of names) {
    const reply = await bridge.reply(name);
    expect(JSON.stringify(reply.result)).toContain(`{\\"for\\":\\"${name}\\"}`);
  }
});

test('BR5 an answer to a question that nobody asked goes nowhere and disturbs nothing', async () => {
  const { service, bridge } = await useBridged();
  bridge.send({ jsonrpc: '2.0', id: 99, result: {} });
  bridge.send({ jsonrpc: '2.0', id: 'x', error: { code: 1, message: 'm' } });
  expect(await bridge.callTool('read')).toHaveProperty('result');
  expect(service.record.answers).toEqual([]);
  expect(bridge.lines).toHaveLength(2);
});

test('BR5 a ping of the service is answered', async () => {
  const { service, bridge } = await useBridged();
  const answer = service.ask('ping');
  // Whoever answers: a bridge may do it itself, or leave it to the client.
  void bridge
    .next((message) => message.method === 'ping')
    .then(
      ({ id }) => bridge.send({ jsonrpc: '2.0', id, result: {} }),
      () => {},
    );
  expect(await answer).toMatchObject({ result: {} });
});

test('BR5 notifications of every kind reach the client in order', async () => {
  const { service, bridge } = await useBridged();
  const methods = ['tools', 'prompts', 'resources'].map((kind) => `notifications/${kind}/list_changed`);
  for (const method of methods) service.notify(method);
  service.notify('notifications/resources/updated', { uri: 'scripted://one' });
  service.notify('notifications/x-unknown', { any: 1 });
  await bridge.until(() => bridge.messages.length === 6);
  expect(bridge.messages.slice(1).map(({ method }) => method)).toEqual([
    ...methods,
    'notifications/resources/updated',
    'notifications/x-unknown',
  ]);
});

test("BR5 the client's own notifications reach the service in the session", async () => {
  const { service, bridge } = await useBridged();
  bridge.notify('notifications/roots/list_changed');
  await service.until(() => service.record.of('notifications/roots/list_changed').length === 1);
  const [seen] = service.record.of('notifications/roots/list_changed');
  const [initialized] = service.record.of('notifications/initialized');
  expect(seen!.sessionId).toBe(initialized!.sessionId);
  expect(seen!.headers['mcp-protocol-version']).toBe('2025-11-25');
  // One handshake, one "initialized": the bridge does not repeat the client's.
  expect(service.record.of('notifications/initialized')).toHaveLength(1);
});
