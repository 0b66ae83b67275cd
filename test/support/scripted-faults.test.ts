// The scripted service's faults, each seen from a plain HTTP client.
import { connect } from 'node:net';
import { once } from 'node:events';
import { Agent, request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { answerOf, McpHttp } from './mcp-http.ts';
import {
  accepted,
  batchAnswer,
  busy,
  closeBefore,
  delayed,
  drip,
  emptyOk,
  forbidden,
  halfJson,
  halfSse,
  hang,
  hangAfter,
  hangInSse,
  htmlPage,
  invalidJson,
  longJson,
  longSseLine,
  noValidSession,
  nullIdError,
  pretty,
  rawResult,
  redirect,
  resetAfter,
  resetBefore,
  ScriptedService,
  sessionNotFound,
  sseWithoutAnswer,
  unauthorized,
  unknownId,
  wrongContentType,
  type Action,
} from './scripted-service.ts';
import { useService } from './use.ts';

async function useClient(): Promise<{ service: ScriptedService; client: McpHttp }> {
  const service = await useService();
  const client = new McpHttp(service.url);
  await client.initialize();
  return { service, client };
}

/** The code of the socket error behind a failed fetch. */
const causeOf = async (attempt: Promise<unknown>): Promise<string | undefined> => {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason as { cause?: { code?: string } },
  );
  return error?.cause?.code;
};

test.each<[string, Action, number]>([
  ['resetBefore', resetBefore, 0],
  ['resetAfter', resetAfter, 1],
])('%s resets the connection', async (_name, action, executions) => {
  const { service, client } = await useClient();
  service.once({ tool: 'write' }, action);
  expect(await causeOf(client.call('write', { key: 'k' }))).toBe('ECONNRESET');
  expect(service.record.executions.get('k') ?? 0).toBe(executions);
  expect((await client.call('write', { key: 'k' })).status).toBe(200);
});

test('closeBefore closes it in an orderly way', async () => {
  const { service, client } = await useClient();
  service.once({ tool: 'write' }, closeBefore);
  expect(await causeOf(client.call('write', { key: 'k' }))).toBe('UND_ERR_SOCKET');
  expect(service.record.executions.size).toBe(0);
});

test('a rule for unread requests acts before the body was sent', async () => {
  const { service, client } = await useClient();
  service.once({ http: 'POST', unread: true }, resetBefore);
  const before = service.record.requests.length;
  expect(await causeOf(client.call('write', { key: 'k'.repeat(5_000_000) }))).toMatch(/ECONNRESET|EPIPE/);
  expect(service.record.requests).toHaveLength(before);
});

test.each<[string, Action, string]>([
  ['halfJson, reset', halfJson('reset'), 'application/json'],
  ['halfJson, finish', halfJson('finish'), 'application/json'],
  ['halfSse, reset', halfSse('reset'), 'text/event-stream'],
  ['halfSse, finish', halfSse('finish'), 'text/event-stream'],
])('%s breaks off in the middle, after the call ran', async (_name, action, contentType) => {
  const { service, client } = await useClient();
  service.once({ tool: 'write' }, action);
  const response = await client.call('write', { key: 'k' });
  expect(response.headers.get('content-type')).toBe(contentType);
  await expect(response.text()).rejects.toThrow();
  expect(service.record.executions.get('k')).toBe(1);
});

test.each<[string, Action, number]>([
  ['hang', hang, 0],
  ['hangAfter', hangAfter, 1],
])('%s never answers', async (_name, action, executions) => {
  const { service, client } = await useClient();
  service.once({ tool: 'write' }, action);
  await expect(client.call('write', { key: 'k' }, { signal: AbortSignal.timeout(60) })).rejects.toThrow(
    /abort/,
  );
  expect(service.record.executions.get('k') ?? 0).toBe(executions);
});

test('hangInSse opens a stream and sends nothing', async () => {
  const { service, client } = await useClient();
  service.once({ tool: 'write' }, hangInSse);
  const response = await client.call('write', {}, { signal: AbortSignal.timeout(100) });
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow(/abort/);
});

test.each<[string, Action, number, RegExp]>([
  ['sessionNotFound', sessionNotFound, 404, /Session not found/],
  ['noValidSession', noValidSession, 400, /No valid session ID/],
  ['busy 503', busy(503), 503, /Busy/],
  ['htmlPage 502', htmlPage(502), 502, /<html>/],
  ['htmlPage 200', htmlPage(200), 200, /<html>/],
  ['unauthorized', unauthorized, 401, /^$/],
  ['forbidden', forbidden, 403, /Forbidden/],
  ['accepted', accepted, 202, /^$/],
  ['emptyOk', emptyOk, 200, /^$/],
  ['sseWithoutAnswer', sseWithoutAnswer, 200, /^: nothing here\n\n$/],
  ['unknownId', unknownId, 200, /"id":"no-such-request"/],
  ['nullIdError', nullIdError, 200, /"id":null,"error"/],
  ['batchAnswer', batchAnswer, 200, /^\[\{"jsonrpc":"2.0","id":2,"result".*\]$/],
  ['pretty', pretty, 200, /^\{\n {2}"jsonrpc"/],
  ['rawResult', rawResult('{"n":1.50}'), 200, /"result":\{"n":1\.50\}\}$/],
])('%s answers as its name says', async (_name, action, status, body) => {
  const { service, client } = await useClient();
  service.once({ rpc: 'tools/call' }, action);
  const response = await client.call('read');
  expect(response.status).toBe(status);
  expect(await response.text()).toMatch(body);
});

test('busy says when to come back', async () => {
  const { service, client } = await useClient();
  service.once({ rpc: 'ping' }, busy(429, '2'));
  expect((await client.request('ping')).headers.get('retry-after')).toBe('2');
});

test('redirect names the new place', async () => {
  const { service, client } = await useClient();
  service.once({ rpc: 'ping' }, redirect(307, 'http://127.0.0.1:9/else'));
  const response = await client.request('ping');
  expect([response.status, response.headers.get('location')]).toEqual([307, 'http://127.0.0.1:9/else']);
});

test('invalidJson cannot be parsed, wrongContentType is no JSON by its header', async () => {
  const { service, client } = await useClient();
  service.once({ rpc: 'ping' }, invalidJson);
  await expect(answerOf(await client.request('ping'))).rejects.toThrow(SyntaxError);
  service.once({ rpc: 'ping' }, wrongContentType);
  expect((await client.request('ping')).headers.get('content-type')).toBe('text/plain');
});

test('drip and delayed take their time', async () => {
  const { service, client } = await useClient();
  service.once({ rpc: 'ping' }, drip(2, 4));
  const from = performance.now();
  expect(await answerOf(await client.request('ping'))).toMatchObject({ result: {} });
  expect(performance.now() - from).toBeGreaterThan(15);
  service.once({ rpc: 'ping' }, delayed(40));
  const then = performance.now();
  await answerOf(await client.request('ping'));
  expect(performance.now() - then).toBeGreaterThan(38);
});

test.each<[string, Action]>([
  ['longSseLine', longSseLine(3_000_000)],
  ['longJson', longJson(3_000_000)],
])('%s sends as much as it was asked for', async (_name, action) => {
  const { service, client } = await useClient();
  service.once({ rpc: 'ping' }, action);
  const body = await (await client.request('ping')).text();
  expect(body.length).toBeGreaterThan(3_000_000);
  expect(body.length).toBeLessThan(3_000_200);
  expect(body).not.toContain('\n');
});

test('an unbounded line ends when the peer stops reading it', async () => {
  const { service, client } = await useClient();
  service.once({ rpc: 'ping' }, longSseLine());
  const { body } = await client.request('ping');
  const before = service.openSockets;
  const reader = body!.getReader();
  await reader.read();
  await reader.cancel();
  await service.until(() => service.openSockets < before);
  expect(service.openSockets).toBe(before - 1);
});

test('the nth request that fits meets the action, the others do not', async () => {
  const { service, client } = await useClient();
  const rule = service.always({ tool: 'read', nth: 2 }, forbidden);
  const statuses = [];
  for (let i = 0; i < 3; i += 1) statuses.push((await client.call('read')).status);
  expect(statuses).toEqual([200, 403, 200]);
  expect(rule.hits).toBe(1);
});

test('a rule that was removed acts no more', async () => {
  const { service, client } = await useClient();
  const rule = service.always({ rpc: 'ping' }, forbidden);
  expect((await client.request('ping')).status).toBe(403);
  rule.remove();
  expect((await client.request('ping')).status).toBe(200);
});

test('cutAll resets every open connection', async () => {
  const service = await useService();
  const sockets = [1, 2].map(() => connect(Number(new URL(service.url).port), '127.0.0.1'));
  await service.until(() => service.openSockets === 2);
  const errors = sockets.map(
    async (socket) => ((await once(socket, 'error')) as [NodeJS.ErrnoException])[0].code,
  );
  service.cutAll();
  expect(await Promise.all(errors)).toEqual(['ECONNRESET', 'ECONNRESET']);
  expect(service.openSockets).toBe(0);
});

test('while stopped it refuses connections; back on the same port it has forgotten its sessions', async () => {
  const { service, client } = await useClient();
  service.stop();
  expect(await causeOf(client.request('ping'))).toBe('ECONNREFUSED');
  await service.comeBack();
  expect((await client.request('ping')).status).toBe(404);
  await service.restart(10);
  expect((await client.initialize()).result).toBeDefined();
  await service.restart(0, { keepSessions: true });
  expect((await client.request('ping')).status).toBe(200);
});

test('in a black hole nothing passes on old connections; healed, it does, in order', async () => {
  const service = await useService({ sessions: false });
  const agent = new Agent({ connections: 1 });
  onTestFinished(() => agent.destroy());
  const ping = async (signal?: AbortSignal): Promise<string> => {
    const options = {
      method: 'POST',
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      dispatcher: agent,
    } as const;
    const { body } = await request(service.url, { ...options, ...(signal && { signal }) });
    return body.text();
  };
  await ping();
  service.blackHole();
  const waiting = ping();
  // A new connection is served meanwhile: bytes vanish on the old one only.
  expect((await new McpHttp(service.url).request('ping')).status).toBe(200);
  expect(service.record.requests).toHaveLength(2);
  service.heal();
  expect(JSON.parse(await waiting)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });

  service.blackHole('silent');
  const client = new McpHttp(service.url);
  await expect(client.request('ping', {}, { signal: AbortSignal.timeout(60) })).rejects.toThrow(/abort/);
  service.heal('reset');
  expect((await client.request('ping')).status).toBe(200);
});

test('an answer that is under way when the black hole opens arrives after it', async () => {
  const { service, client } = await useClient();
  service.once({ rpc: 'ping' }, delayed(30));
  const response = client.request('ping');
  await service.until(() => service.record.of('ping').length === 1);
  service.blackHole();
  const first = await Promise.race([response, new Promise((resolve) => setTimeout(resolve, 80, 'silence'))]);
  expect(first).toBe('silence');
  service.heal();
  expect((await response).status).toBe(200);
});

test('a fault of the fixture itself fails the test that uses it', async () => {
  const service = await ScriptedService.start();
  service.once({ rpc: 'initialize' }, () => {
    throw new Error('broken action');
  });
  expect((await new McpHttp(service.url).request('initialize')).status).toBe(500);
  await expect(service.close()).rejects.toThrow(/itself failed/);
});
