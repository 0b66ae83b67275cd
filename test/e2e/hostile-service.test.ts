// A service that means harm, or is broken in ways that look like it, through the real program: it costs bounded memory, bounded
// traffic and bounded time, and what is beside it goes on.
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  asJson,
  hang,
  heldUntil,
  rawBody,
  rawSse,
  sseEvent,
  type Action,
  type Exchange,
} from '../support/scripted-service.ts';
import { expectBridgeError, expectOneReplyEach, useBridged } from '../support/use.ts';

const MIB = 1024 * 1024;
const UNKNOWN = 'ERR_UPSTREAM_OUTCOME_UNKNOWN';

/** Writes to the connection itself, past what an HTTP server would let through. */
const rawHttp =
  (write: (exchange: Exchange) => void | Promise<void>): Action =>
  (exchange) =>
    write(exchange);

function send({ socket }: Exchange, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.write(bytes, () => resolve());
  });
}

test.each<[string, Action]>([
  [
    'a JSON body',
    (exchange) =>
      inTinyChunks(
        exchange,
        'application/json',
        `{"jsonrpc":"2.0","id":${exchange.idText},"result":{"text":"`,
      ),
  ],
  ['an event', (exchange) => inTinyChunks(exchange, 'text/event-stream', 'data: ')],
])('SC4 BR12 %s that comes byte by byte takes no more memory than its size', async (_what, action) => {
  const { service, bridge } = await useBridged({
    launch: { args: ['--max-event-bytes', String(2 * MIB), '--max-body-bytes', String(2 * MIB)] },
  });
  const before = bridge.peakMemory() ?? 0;
  service.always({ tool: 'write' }, action);
  expect(expectBridgeError(await bridge.callTool('write', {}, { timeoutMs: 15_000 }))).toBe(UNKNOWN);
  expect((bridge.peakMemory() ?? 0) - before).toBeLessThan(64 * MIB);
  expect(await bridge.callTool('read')).toHaveProperty('result');
});

/** One byte of the body in each chunk of the transfer encoding, many of them in each packet. */
async function inTinyChunks(exchange: Exchange, type: string, head: string): Promise<void> {
  await send(
    exchange,
    `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n${head.length.toString(16)}\r\n${head}\r\n`,
  );
  const block = Buffer.from('1\r\nx\r\n'.repeat(10_000));
  for (let sent = 0; sent < 3 * MIB && !exchange.socket.destroyed; sent += 10_000)
    await send(exchange, block);
}

test('SC4 SE6 a GET stream that asks to be opened again at once, and ends at once, is not opened again and again', async () => {
  const { service, bridge } = await useBridged();
  const before = service.record.by('GET').length;
  service.always(
    { http: 'GET' },
    rawSse(() => 'retry: 0\nid: 1\ndata:\n\n'),
  );
  service.cutGetStreams();
  await service.until(() => service.record.by('GET').length > before);
  await pause(3000);
  expect(service.record.by('GET').length - before).toBeLessThan(12);
  expect(await bridge.callTool('read')).toHaveProperty('result');
});

test('SC4 BR8 a stream that asks to be resumed at once, and brings nothing, is not resumed again and again', async () => {
  const { service, bridge } = await useBridged({ launch: { args: ['--tool-timeout-ms', '3000'] } });
  let events = 0;
  const nothing = rawSse(() => `retry: 0\nid: e${(events += 1)}\ndata:\n\n`);
  service.always({ tool: 'write' }, nothing);
  service.always({ http: 'GET', when: ({ headers }) => headers['last-event-id'] !== undefined }, nothing);
  expect(expectBridgeError(await bridge.callTool('write', {}, { timeoutMs: 15_000 }))).toBe(UNKNOWN);
  expect(events).toBeLessThan(25);
  expect(await bridge.request('prompts/list')).toHaveProperty('result');
});

test.each<[string, Action, string]>([
  ['headers without end', headersWithoutEnd, UNKNOWN],
  ['interim responses without end', interimWithoutEnd, UNKNOWN],
  ['bytes that are not HTTP', rawHttp((exchange) => void send(exchange, 'SSH-2.0-x\r\n')), UNKNOWN],
  [
    'a body in an encoding that nobody asked for',
    rawHttp((exchange) => {
      const body = gzipSync(`{"jsonrpc":"2.0","id":${exchange.idText},"result":{"x":"${'0'.repeat(9e6)}"}}`);
      exchange.res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      exchange.res.end(body);
    }),
    UNKNOWN,
  ],
  [
    "the client's own request",
    rawBody((id) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call"}`),
    UNKNOWN,
  ],
  ['a notification alone', rawBody(() => '{"jsonrpc":"2.0","method":"notifications/message"}'), UNKNOWN],
  ['its id as a string', rawBody((id) => `{"jsonrpc":"2.0","id":"${id}","result":{}}`), UNKNOWN],
  [
    'result and error at once',
    rawBody((id) => `{"jsonrpc":"2.0","id":${id},"result":{},"error":{}}`),
    UNKNOWN,
  ],
])('BR12 SC4 BR13 %s in place of an answer', async (_what, action, code) => {
  const { service, bridge } = await useBridged({ launch: { args: ['--tool-timeout-ms', '1500'] } });
  const rule = service.always({ tool: 'write' }, action);
  const reply = await bridge.callTool('write', { key: 'k' }, { id: 'w', timeoutMs: 15_000 });
  expect(expectBridgeError(reply)).toBe(code);
  rule.remove();
  expect(await bridge.request('prompts/list')).toHaveProperty('result');
  await bridge.close();
  expectOneReplyEach(bridge, ['w']);
});

function headersWithoutEnd(exchange: Exchange): Promise<void> {
  return pour(exchange, 'HTTP/1.1 200 OK\r\n', `x-more: ${'x'.repeat(1000)}\r\n`);
}

function interimWithoutEnd(exchange: Exchange): Promise<void> {
  return pour(exchange, '', 'HTTP/1.1 102 Processing\r\n\r\n');
}

async function pour(exchange: Exchange, head: string, line: string): Promise<void> {
  await send(exchange, head);
  const block = line.repeat(100);
  while (!exchange.socket.destroyed) {
    await send(exchange, block);
    await pause(5);
  }
}

test('BR12 an error page without end is a refusal at once, not at the time limit', async () => {
  const { service, bridge } = await useBridged();
  const rule = service.always({ tool: 'write' }, async ({ res }) => {
    res.writeHead(403, { 'content-type': 'text/html' });
    while (!res.destroyed) {
      res.write('x'.repeat(100_000));
      await pause(20);
    }
  });
  expect(expectBridgeError(await bridge.callTool('write', {}, { timeoutMs: 15_000 }))).toBe(
    'ERR_AUTH_FORBIDDEN',
  );
  rule.remove();
  expect(await bridge.callTool('write')).toHaveProperty('result');
});

test('BR13 BR3 an answer that comes twice, or late for a call that was cancelled, is given to nobody', async () => {
  const { service, bridge } = await useBridged();
  let cancelledId = '';
  service.once({ tool: 'slow' }, (exchange) => {
    cancelledId = exchange.idText;
  });
  bridge.send({ jsonrpc: '2.0', id: 'gone', method: 'tools/call', params: { name: 'slow' } });
  await service.until(() => cancelledId !== '');
  bridge.notify('notifications/cancelled', { requestId: 'gone' });
  await service.until(() => service.record.cancelled.length === 1);
  const late = (text: string): string =>
    sseEvent(`{"jsonrpc":"2.0","id":${cancelledId},"result":{"t":"${text}"}}`);
  service.once(
    { tool: 'write' },
    rawSse((id) => {
      const own = sseEvent(`{"jsonrpc":"2.0","id":${id},"result":{"t":"own"}}`);
      return late('one') + own + own + late('two');
    }),
  );
  expect(await bridge.callTool('write', {}, { id: 'w' })).toMatchObject({ id: 'w', result: { t: 'own' } });
  expect(await bridge.callTool('read', {}, { id: 'r' })).toHaveProperty('result');
  await bridge.close();
  expectOneReplyEach(bridge, ['w', 'r']);
  expect(bridge.repliesTo('gone')).toEqual([]);
});

test('BR4 SC4 JSON of any depth passes', async () => {
  const { service, bridge } = await useBridged();
  const deep = '['.repeat(1000) + ']'.repeat(1000);
  service.once(
    { tool: 'read' },
    rawBody((id) => `{"jsonrpc":"2.0","id":${id},"result":{"x":${deep}}}`),
  );
  service.once(
    { rpc: 'tools/list' },
    rawBody((id) => `{"jsonrpc":"2.0","id":${id},"result":{"tools":[{"name":"x","inputSchema":${deep}}]}}`),
  );
  bridge.send({ jsonrpc: '2.0', id: 'deep', method: 'tools/call', params: { name: 'read' } });
  await bridge.until(() => bridge.lines.some((line) => line.includes(deep) && line.includes('deep')));
  bridge.send({ jsonrpc: '2.0', id: 'list', method: 'tools/list' });
  await bridge.until(() => bridge.lines.some((line) => line.includes(deep) && line.includes('list')));
  expect(await bridge.callTool('read')).toHaveProperty('result');
});

test('SC4 no more connections than maxConnections allows, however long calls wait for one', async () => {
  const { service, bridge } = await useBridged({ launch: { args: ['--max-connections', '2'] } });
  const held = Promise.withResolvers<void>();
  service.always({ tool: 'slow' }, heldUntil(held.promise, asJson));
  const calls = Array.from({ length: 12 }, (_, n) => bridge.callTool('slow', { n }, { timeoutMs: 20_000 }));
  let most = 0;
  for (let n = 0; n < 80; n += 1) {
    most = Math.max(most, service.openSockets);
    await pause(100);
  }
  held.resolve();
  for (const reply of await Promise.all(calls)) expect(reply).toHaveProperty('result');
  // What is silent for long may be dead, and gets as many connections again. The GET stream and a probe have their own.
  expect(most).toBeLessThanOrEqual(2 * 2 + 2);
});

test('SC4 notifications of the client that cannot be sent do not fill the memory', async () => {
  const { service, bridge } = await useBridged();
  service.stop();
  const before = bridge.peakMemory() ?? 0;
  const line = '{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}\n'.repeat(1000);
  for (let n = 0; n < 100; n += 1) {
    bridge.write(line);
    await bridge.written();
  }
  expect(await bridge.request('ping')).toHaveProperty('result');
  expect((bridge.peakMemory() ?? 0) - before).toBeLessThan(150 * MIB);
});

test('SC4 a service that pings without end, and takes no answer, does not fill the memory', async () => {
  const { service, bridge } = await useBridged();
  service.always({ http: 'POST', when: ({ text }) => text.includes('"result"') }, hang);
  const before = bridge.peakMemory() ?? 0;
  for (let n = 0; n < 100_000; n += 1) service.pushRaw(`{"jsonrpc":"2.0","id":"p${n}","method":"ping"}`);
  expect(await bridge.callTool('read', {}, { timeoutMs: 30_000 })).toHaveProperty('result');
  expect((bridge.peakMemory() ?? 0) - before).toBeLessThan(150 * MIB);
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
