// Each protocol revision end to end, by a client that is nothing but lines: what is negotiated is between client and
// service, and the bridge adds nothing of its own.
import { beforeAll, describe, expect, test } from 'vitest';
import { startEverything, type Everything } from './support/everything.ts';
import type { Message } from './support/json-rpc.ts';
import { RawClient } from './support/raw-client.ts';
import { blockScope, pause, testScope, until } from './support/scope.ts';
import { SdkService } from './support/sdk-server.ts';
import { fairMs } from '../support/fair-time.ts';

const revisions = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
/** The first revision whose requests name it in a header; before it the header is allowed, and has to be true. */
const firstWithHeader = '2025-06-18';

function expectRevisionInHeaders(service: SdkService, revision: string): void {
  const [handshake, ...later] = service.requests;
  expect(handshake?.headers['mcp-protocol-version']).toBeUndefined();
  expect(later.length).toBeGreaterThanOrEqual(2);
  const named = new Set(later.map(({ headers }) => headers['mcp-protocol-version']));
  if (revision < firstWithHeader) named.delete(undefined);
  expect([...named].filter((name) => name !== revision)).toEqual([]);
}

const callAdd = (id: number | string, a: number, b: number) => ({
  id,
  method: 'tools/call',
  params: { name: 'add', arguments: { a, b } },
});

const fileScope = blockScope();
let legacy: Everything;
beforeAll(async () => {
  legacy = await startEverything(fileScope, 'sse');
});

describe.each(revisions)('revision %s', (revision) => {
  test('BR2 is negotiated over Streamable HTTP by client and service, and named in what follows', async () => {
    const scope = testScope();
    const service = await SdkService.start(scope);
    const client = new RawClient(scope, service.url);
    const reply = await client.initialize(revision, { roots: {} });
    expect(reply.result.protocolVersion).toBe(revision);
    expect(service.received('initialize')[0]?.params).toEqual({
      protocolVersion: revision,
      capabilities: { roots: {} },
      clientInfo: { name: 'raw', version: '1.0.0' },
    });
    expect((await client.request(callAdd(1, 20, 22))).result.content[0].text).toBe('42');
    expectRevisionInHeaders(service, revision);
    expect(await client.end()).toBe(0);
    expect(service.received('initialize')).toHaveLength(1);
    await until('the end of the session', () => service.of('DELETE').length > 0);
    expect(service.of('DELETE')).toHaveLength(1);
  });

  test('BR2 is negotiated over legacy HTTP+SSE just the same', async () => {
    const scope = testScope();
    const wire = await legacy.proxy(scope);
    const client = new RawClient(scope, `${wire.origin}/sse`);
    const reply = await client.initialize(revision);
    expect(reply.result.protocolVersion).toBe(revision);
    const answer = await client.request({
      id: 'e',
      method: 'tools/call',
      params: { name: 'echo', arguments: { message: 'hi' } },
    });
    expect(answer.result).toEqual({ content: [{ type: 'text', text: 'Echo: hi' }] });
    expect(wire.accepted('initialize').map(({ params }) => params.protocolVersion as string)).toEqual([
      revision,
    ]);
    expect(await client.end()).toBe(0);
    // The session of this transport is the stream; it is over when the stream is.
    await until('the end of the stream', () => wire.of('GET').every(({ isOpen }) => !isOpen));
    expect(wire.of('GET')).toHaveLength(1);
  });

  test('BR2 is what counts when the service answers with it to a client that asked for another', async () => {
    const scope = testScope();
    const service = await SdkService.start(scope, { revision });
    const client = new RawClient(scope, service.url);
    const asked = revision === '2025-11-25' ? '2025-03-26' : '2025-11-25';
    const reply = await client.initialize(asked);
    expect(reply.result.protocolVersion).toBe(revision);
    expect(service.received('initialize')[0]?.params.protocolVersion).toBe(asked);
    await client.request(callAdd(1, 1, 2));
    expectRevisionInHeaders(service, revision);
  });
});

test('BR2 a revision that nobody knows is asked for as it is, and the answer of the service stands', async () => {
  const scope = testScope();
  const service = await SdkService.start(scope);
  const client = new RawClient(scope, service.url);
  const reply = await client.initialize('2999-12-31');
  expect(service.received('initialize')[0]?.params.protocolVersion).toBe('2999-12-31');
  expect(reply.result.protocolVersion).toBe('2025-11-25');
  await client.request(callAdd(1, 1, 2));
  expectRevisionInHeaders(service, '2025-11-25');
});

test('BR3 BR4 BR9 what the client writes reaches the service as it was written, and ids come back as they were', async () => {
  const scope = testScope();
  const service = await SdkService.start(scope);
  const client = new RawClient(scope, service.url);
  const params =
    '{"clientInfo":{"version":"1","name":"raw"},"protocolVersion":"2025-11-25",' +
    '"capabilities":{"experimental":{"x":{"price":1.50,"big":12345678901234567890,"e":1E+2,"text":"\\u00fc\\/"}}}}';
  client.send(`{"params":${params},"id":-7,"method":"initialize","jsonrpc":"2.0"}`);
  await client.reply(-7);
  expect(service.requests[0]?.body).toContain(params);
  client.send({ jsonrpc: '2.0', method: 'notifications/initialized' });

  const ids = [0, -1, 'text', '0', 2 ** 53 - 1, 'ü"\\'];
  for (const [index, id] of ids.entries()) client.send({ jsonrpc: '2.0', ...callAdd(id, index, 100) });
  for (const [index, id] of ids.entries())
    expect((await client.reply(id)).result.content[0].text).toBe(String(index + 100));
  expect(client.lines).toHaveLength(ids.length + 1);
  expect(service.executions).toEqual({ add: ids.length });
});

test.each([{ json: false }, { json: true }])(
  'BR8 a batch of a 2025-03-26 client is answered whole, each call run once: %j',
  async (shape) => {
    const scope = testScope();
    const service = await SdkService.start(scope, shape);
    const client = new RawClient(scope, service.url);
    await client.initialize('2025-03-26');
    const calls = [callAdd('a', 1, 1), callAdd('b', 2, 2), callAdd(3, 3, 3)];
    client.send(JSON.stringify(calls.map((call) => ({ jsonrpc: '2.0', ...call }))));
    const line = await until('the answer to the batch', () => client.lines[1]);
    const replies = JSON.parse(line) as Message[];
    const answers = new Map(replies.map(({ id, result }) => [id, result.content[0].text as string]));
    expect(replies).toHaveLength(3);
    expect(Object.fromEntries(answers)).toEqual({ a: '2', b: '4', 3: '6' });
    expect(service.executions).toEqual({ add: 3 });
    await client.request(callAdd('after', 4, 4));
    expect(client.lines).toHaveLength(3);
  },
);

test('HS4 `server/discover` before `initialize` is answered at once, with nothing sent to the service', async () => {
  const scope = testScope();
  const service = await SdkService.start(scope);
  const client = new RawClient(scope, service.url);
  const reply = await client.request({ id: 'probe', method: 'server/discover', params: {} });
  expect(reply.error?.code).toBe(-32601);
  await pause(200);
  expect(service.requests).toEqual([]);

  // The same process can go on to be used.
  expect((await client.initialize('2025-11-25')).result.serverInfo.name).toBe('sdk-service');
  expect((await client.request(callAdd(1, 1, 2))).result.content[0].text).toBe('3');
  expect(await client.end()).toBe(0);
});

test('HS4 `server/discover` is answered at once even when the service cannot be reached', async () => {
  const scope = testScope();
  const client = new RawClient(scope, 'http://127.0.0.1:1/mcp');
  const from = performance.now();
  const reply = await client.request({ id: 1, method: 'server/discover', params: {} });
  expect(reply.error?.code).toBe(-32601);
  expect(fairMs(from)).toBeLessThan(3_000);
  expect(await client.end()).toBe(0);
});
