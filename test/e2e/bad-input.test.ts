// What no client should send, through the real program: each gets the error that JSON-RPC names, and disturbs nothing else.
import { expect, test } from 'vitest';
import { flood } from '../support/flood.ts';
import { heldUntil, type RpcMessage } from '../support/scripted-service.ts';
import { expectBridgeError, expectOneReplyEach, useBridge, useBridged, useService } from '../support/use.ts';

const mib = 1024 * 1024;

/** A bridge with a call in flight that is answered only after `check`, so that a disturbance of it would show. */
async function besideOtherTraffic(
  check: (
    bridge: Awaited<ReturnType<typeof useBridged>>['bridge'],
    service: Awaited<ReturnType<typeof useBridged>>['service'],
  ) => Promise<void>,
  options: Parameters<typeof useBridged>[0] = {},
): Promise<void> {
  const { service, bridge } = await useBridged(options);
  let release = (): void => {};
  service.once(
    { tool: 'read', key: 'other' },
    heldUntil(new Promise<void>((resolve) => (release = resolve))),
  );
  bridge.send({
    jsonrpc: '2.0',
    id: 'other',
    method: 'tools/call',
    params: { name: 'read', arguments: { key: 'other' } },
  });
  await service.until(() => service.record.of('tools/call').length === 1);
  const before = service.record.requests.length;
  await check(bridge, service);
  expect(service.record.requests).toHaveLength(before);
  release();
  expect(await bridge.reply('other')).toMatchObject({ result: { content: [{ text: 'read other' }] } });
  expect(await bridge.callTool('echo', { value: 1 })).toHaveProperty('result');
  expectOneReplyEach(bridge, ['other']);
}

/** The first error that answers no request, or the one with this id. */
const errorWith =
  (id: unknown) =>
  (message: RpcMessage): boolean =>
    message.error !== undefined && message.id === id;

test.each<[string, string | Buffer, number, unknown]>([
  ['text', 'hello', -32700, null],
  ['half an object', '{"jsonrpc":"2.0","id":1,', -32700, null],
  [
    'two messages on a line',
    '{"jsonrpc":"2.0","id":8,"method":"ping"}{"jsonrpc":"2.0","id":9,"method":"ping"}',
    -32700,
    null,
  ],
  [
    'bytes that are not UTF-8',
    Buffer.from([...Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), 0xc3, 0x28, 0x22, 0x7d]),
    -32700,
    null,
  ],
  ['UTF-8 cut short', Buffer.from([...Buffer.from('{"a":"'), 0xf0, 0x9f, 0x98, 0x22, 0x7d]), -32700, null],
  ['a zero byte', '{"jsonrpc":"2.0",\0"id":1}', -32700, null],
  ['UTF-16', Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}', 'utf16le'), -32700, null],
  ['a number', '42', -32600, null],
  ['a string', '"ping"', -32600, null],
  ['null', 'null', -32600, null],
  ['an empty object', '{}', -32600, null],
  ['no version', '{"id":"a","method":"ping"}', -32600, 'a'],
  ['another version', '{"jsonrpc":"1.0","id":"a","method":"ping"}', -32600, 'a'],
  ['a version of another type', '{"jsonrpc":2.0,"id":"a","method":"ping"}', -32600, 'a'],
  ['no method and no id', '{"jsonrpc":"2.0"}', -32600, null],
  ['a request with no method', '{"jsonrpc":"2.0","id":"a","params":{}}', -32600, 'a'],
  ['a method of another type', '{"jsonrpc":"2.0","id":"a","method":5}', -32600, 'a'],
  ['a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, null],
  ['an id of another type', '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600, null],
  ['a boolean id', '{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, null],
  ['a request with a result', '{"jsonrpc":"2.0","id":"a","method":"ping","result":{}}', -32600, 'a'],
  ['two ids', '{"jsonrpc":"2.0","id":"a","id":"b","method":"ping"}', -32600, expect.anything()],
  ['an empty batch', '[]', -32600, null],
  ['a batch', '[{"jsonrpc":"2.0","id":"a","method":"ping"}]', -32600, null],
])('BR11 answers %s with an error, and nothing of it reaches the service', async (_what, line, code, id) => {
  await besideOtherTraffic(
    async (bridge) => {
      bridge.send(line);
      const reply = await bridge.next(({ error }) => error !== undefined);
      expect(reply).toMatchObject({ error: { code } });
      expect(reply.id).toEqual(id);
      expectBridgeError(reply);
    },
    { client: { protocolVersion: '2025-06-18' } },
  );
});

test.each([
  ['an empty line', ''],
  ['spaces', '  \t '],
  ['a lone CR', '\r'],
  ['an answer with both', '{"jsonrpc":"2.0","id":"a","result":{},"error":{"code":1,"message":"m"}}'],
])('BR11 %s gets no answer, because there is no request in it', async (_what, line) => {
  await besideOtherTraffic(async (bridge) => {
    bridge.send(line);
    await bridge.request('ping', {}, { id: 'after' });
    expect(bridge.lines).toHaveLength(2);
  });
});

test('BR11 takes lines that end with CRLF and have space around them', async () => {
  const { service, bridge } = await useBridged();
  bridge.send('  {"jsonrpc":"2.0","id":"crlf","method":"tools/call","params":{"name":"read"}}  \r');
  expect(await bridge.reply('crlf')).toHaveProperty('result');
  expect(service.record.of('tools/call')[0]!.text).not.toMatch(/[\r\n]|^ | $/);
});

test('BR11 puts a message together that comes byte by byte, and takes apart two that come at once', async () => {
  const { bridge } = await useBridged();
  for (const byte of Buffer.from(
    '{"jsonrpc":"2.0","id":"ż","method":"tools/call","params":{"name":"echo","arguments":{"value":"😀"}}}\n',
  )) {
    bridge.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await bridge.reply('ż')).toMatchObject({ result: { structuredContent: { value: '😀' } } });
  const ping = (id: string): string => `{"jsonrpc":"2.0","id":"${id}","method":"ping"}\n`;
  bridge.write(ping('a') + ping('b') + ping('c').slice(0, 20));
  bridge.write(ping('c').slice(20));
  await bridge.reply('c');
  expectOneReplyEach(bridge, ['a', 'b', 'c']);
});

test('BR11 a request before `initialize` is refused, and `initialize` works after it', async () => {
  const service = await useService();
  const bridge = await useBridge(service);
  const reply = await bridge.request('tools/list', {}, { id: 'early' });
  expect(expectBridgeError(reply)).toBe('ERR_CLIENT_NOT_INITIALIZED');
  bridge.notify('notifications/initialized');
  expect(service.socketsOpened).toBe(0);
  expect(await bridge.initialize()).toHaveProperty('result');
});

const filler = 'x'.repeat(100_000);

test.each<[string, string, unknown]>([
  [
    'the id at the front',
    `{"jsonrpc":"2.0","id":"front","method":"tools/call","params":{"text":"${filler}"}}`,
    'front',
  ],
  [
    'the id at the end',
    `{"params":{"id":"no","text":"${filler}","x":{"id":2}},"method":"tools/call","jsonrpc":"2.0","id":-12}`,
    -12,
  ],
  [
    'an id with escapes',
    String.raw`{"jsonrpc":"2.0","id":"a\"\u00e9","method":"x","params":["}","\\","{"],"t":"${filler}"}`,
    'a"é',
  ],
  ['text that looks like an id', `{"params":"\\",\\"id\\":7,${filler}","method":"x","id":"real"}`, 'real'],
  [
    'no id (a notification)',
    `{"jsonrpc":"2.0","method":"notifications/x","params":{"id":1,"text":"${filler}"}}`,
    null,
  ],
  ['an answer', `{"jsonrpc":"2.0","id":"svc","result":{"text":"${filler}"}}`, null],
  ['no JSON at all', filler, null],
])('BR11 an over-long line with %s is answered as far as possible', async (_what, line, id) => {
  await besideOtherTraffic(
    async (bridge) => {
      bridge.send(line);
      const reply = await bridge.next(errorWith(id));
      expect(expectBridgeError(reply)).toBe('ERR_CLIENT_LINE_TOO_LONG');
      expect(reply.error!.message).toContain('65536');
    },
    { launch: { args: ['--max-line-bytes', '65536'] } },
  );
});

test('BR11 a line of exactly the limit passes, one byte more does not', async () => {
  const { service, bridge } = await useBridged({ launch: { args: ['--max-line-bytes', '65536'] } });
  const line = (id: string, bytes: number): string => {
    const head = `{"jsonrpc":"2.0","id":"${id}","method":"tools/call","params":{"name":"read","x":"`;
    return `${head}${'y'.repeat(bytes - head.length - 3)}"}}`;
  };
  bridge.send(line('fits', 65_536));
  bridge.send(line('over', 65_537));
  expect(await bridge.reply('fits')).toHaveProperty('result');
  expect(expectBridgeError(await bridge.reply('over'))).toBe('ERR_CLIENT_LINE_TOO_LONG');
  expect(service.record.of('tools/call')).toHaveLength(1);
});

test.each([
  ['one string', '{"jsonrpc":"2.0","id":"huge","method":"x","params":"', 'x', 'huge'],
  ['nothing but brackets', '', '[', null],
])(
  'BR11 SC4 300 MB without a line end (%s) take no more memory than the limit and 150 MB',
  async (_what, head, filling, id) => {
    const { bridge } = await useBridged();
    const chunk = Buffer.alloc(mib, filling);
    bridge.write(head);
    for (let sent = 0; sent < 300e6; sent += mib) {
      if (!bridge.write(chunk)) await bridge.written();
    }
    expect(bridge.lines).toHaveLength(1);
    bridge.send('"}');
    const reply = await bridge.next(errorWith(id), 15_000);
    expect(expectBridgeError(reply)).toBe('ERR_CLIENT_LINE_TOO_LONG');
    expect(bridge.peakMemory() ?? 0).toBeLessThan(64 * mib + 150e6);
    expect(await bridge.callTool('read')).toHaveProperty('result');
  },
);

test('BR11 a batch of 2025-03-26 answers its bad parts one by one', async () => {
  const { bridge } = await useBridged({ client: { protocolVersion: '2025-03-26' } });
  bridge.send('[1,{"jsonrpc":"2.0","id":"good","method":"tools/list"},{"id":"bad","method":"x"},[]]');
  await bridge.reply('good');
  const replies = JSON.parse(bridge.lines[1]!.toString()) as RpcMessage[];
  expect(replies).toHaveLength(4);
  expect(replies.filter(({ error }) => error?.code === -32600)).toHaveLength(3);
  expect(bridge.repliesTo('bad')).toHaveLength(1);
  bridge.send('[]');
  expect(
    await bridge.next(({ id, error }) => id === null && error?.code === -32600 && bridge.lines.length === 3),
  ).toBeDefined();
});

test('BR11 BR13 hundreds of bad lines among good ones: each good one gets its answer', async () => {
  const { service, bridge } = await useBridged();
  const bad = ['nonsense', '{}', '[', '{"jsonrpc":"2.0","id":', 'null', '\u0000'];
  const ids = Array.from({ length: 300 }, (_, i) => `good-${i}`);
  for (const [i, id] of ids.entries()) {
    bridge.send(bad[i % bad.length]!);
    bridge.send({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'echo', arguments: { value: id } },
    });
  }
  for (const id of ids)
    expect(await bridge.reply(id)).toMatchObject({ result: { structuredContent: { value: id } } });
  expectOneReplyEach(bridge, ids);
  expect(bridge.messages.filter(({ error }) => error !== undefined)).toHaveLength(300);
  expect(service.record.of('tools/call')).toHaveLength(300);
});

test('SC4 BR13 a client that writes on and on without reading is held up, and answered when it reads', async () => {
  const { bridge } = await useBridged();
  bridge.pauseReading();
  const ids = await flood(bridge);
  bridge.resumeReading();
  await bridge.reply(ids.at(-1), 20_000);
  expect(bridge.messages.slice(1).map(({ id }) => id)).toEqual(ids);
  expect(await bridge.callTool('read')).toHaveProperty('result');
});
