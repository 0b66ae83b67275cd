// Payloads byte for byte, through the real program. The bridge may replace an id and a progress token, nothing else.
import { expect, test } from 'vitest';
import {
  asSse,
  pretty,
  rawBody,
  rawResult,
  rawSse,
  redirect,
  sseEvent,
} from '../support/scripted-service.ts';
import { idTextOf } from '../support/scripted/messages.ts';
import { useBridged } from '../support/use.ts';

/** JSON that a parser and a serialiser would not give back as it was. */
const hostile = [
  ['number text', String.raw`{"a":1.50,"b":12345678901234567890,"c":-0,"d":1E+2,"e":1e400,"f":0.10}`],
  ['key order, numeric keys too', String.raw`{"z":1,"10":2,"2":3,"a":4,"":5}`],
  ['equal keys', String.raw`{"a":1,"a":2}`],
  ['a key that objects have', String.raw`{"__proto__":{"x":1},"constructor":null,"toJSON":1}`],
  ['escapes', String.raw`{"s":"\u0041\/\b\f\n\r\t\"\\\u00e9\ud83d\ude00"}`],
  ['a lone surrogate as an escape', String.raw`{"s":"\ud800"}`],
  ['characters of every length', '{"s":"aé€😀","\u2028":"\u2029\u007f"}'],
  ['white space', '{ "a" :\t[ 1 , 2 ] , "b" : { } }'],
  ['deep nesting', '['.repeat(2000) + ']'.repeat(2000)],
  [
    'members that envelopes have',
    '{"id":1,"method":"x","jsonrpc":"1.0","params":{"_meta":{"progressToken":5}},"error":{}}',
  ],
] as const;

test.each(hostile)('BR4 arrives byte for byte in every direction: %s', async (_what, json) => {
  const { service, bridge } = await useBridged();

  const request = (id: string): string =>
    `{"method":"tools/call","x-unknown":${json},"id":${id},"params":{"arguments":${json},"name":"read"},"jsonrpc":"2.0"}`;
  const answer = (id: string): string => `{"x-unknown":${json},"result":${json},"id":${id},"jsonrpc":"2.0"}`;
  service.once({ tool: 'read' }, rawBody(answer));
  service.once(
    { tool: 'read' },
    rawSse((id) => `event: message\n${sseEvent(answer(id))}`),
  );
  for (const id of ['"answered-as-json"', '"answered-as-sse"']) {
    const already = bridge.lines.length;
    bridge.send(request(id));
    await bridge.until(() => bridge.lines.length > already);
    expect(bridge.lines[already]!.toString()).toBe(answer(id));
    const seen = service.record.of('tools/call').at(-1)!;
    expect(seen.text).toBe(request(idTextOf(seen.messages[0]!.id)));
  }

  const ofClient = `{"params":{"v":${json}},"method":"notifications/roots/list_changed","jsonrpc":"2.0"}`;
  bridge.send(ofClient);
  await service.until(() => service.record.of('notifications/roots/list_changed').length === 1);
  expect(service.record.of('notifications/roots/list_changed')[0]!.text).toBe(ofClient);

  const ofService = `{"method":"notifications/message","params":{"data":${json},"level":"info"},"jsonrpc":"2.0"}`;
  service.pushRaw(ofService);
  await bridge.until(() => bridge.lines.length === 4);
  expect(bridge.lines[3]!.toString()).toBe(ofService);
});

test('BR4 a progress token is the same in the request and in the progress of it, whatever lies between', async () => {
  const { service, bridge } = await useBridged();
  for (const token of ['"tok\\u0065n"', '7', '12345678901234567890']) {
    service.once({ tool: 'progress' }, asSse);
    const already = bridge.lines.length;
    bridge.send(
      `{"jsonrpc":"2.0","id":"p","method":"tools/call","params":{"_meta":{"a":1.0,"progressToken":${token}},"name":"progress","arguments":{"steps":1}}}`,
    );
    await bridge.until(() => bridge.lines.length === already + 3);
    expect(bridge.lines[already]!.toString()).toBe(
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1,"total":1}}`,
    );
    expect(service.record.requests.at(-1)!.text).toContain('"_meta":{"a":1.0,"progressToken":');
  }
});

test('BR4 a pretty-printed answer leaves as one line with the same content', async () => {
  const { service, bridge } = await useBridged();
  service.once({ tool: 'echo' }, pretty);
  const value = { text: 'two\nlines\r\n', list: [1, [2, {}]] };
  const reply = await bridge.callTool('echo', { value });
  expect(reply).toMatchObject({ result: { structuredContent: { value } } });
  expect(bridge.lines).toHaveLength(2);
});

test.each([
  ['JSON with CRLF', (text: string) => rawBody(() => text.replaceAll('\n', '\r\n'))],
  ['an event of many data lines', (text: string) => rawSse(() => sseEvent(text))],
  [
    'an event of many data lines with CRLF',
    (text: string) => rawSse(() => sseEvent(text).replaceAll('\n', '\r\n')),
  ],
])('BR4 line breaks between tokens stay inside the line: %s', async (_what, action) => {
  const { service, bridge } = await useBridged();
  service.once({ tool: 'read' }, (exchange) =>
    action(
      `{\n  "jsonrpc": "2.0",\n  "id": ${exchange.idText},\n  "result": { "n": 1.50,\n "s": "\\n" }\n}\n`,
    )(exchange),
  );
  await bridge.callTool('read', {}, { id: 'x' });
  expect(bridge.lines).toHaveLength(2);
  const line = bridge.lines[1]!.toString();
  expect(line).not.toMatch(/[\r\n]/);
  expect(line.replaceAll(' ', '')).toBe('{"jsonrpc":"2.0","id":"x","result":{"n":1.50,"s":"\\n"}}');
});

test('BR4 a large answer and a large request pass unchanged', async () => {
  const { service, bridge } = await useBridged();
  const text = '0123456789abcdeé'.repeat(300_000);
  const result = `{"content":[{"type":"text","text":"${text}"}]}`;
  service.once({ tool: 'read' }, rawResult(result));
  bridge.send(
    `{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"name":"read","arguments":{"text":"${text}"}}}`,
  );
  await bridge.reply('big', 10_000);
  expect(bridge.lines[1]!.equals(Buffer.from(`{"jsonrpc":"2.0","id":"big","result":${result}}`))).toBe(true);
  expect(service.record.of('tools/call')[0]!.text.includes(`{"text":"${text}"}`)).toBe(true);
});

/** How long texts begin and go on; what is half an escape or a character may be cut anywhere. */
const documents = [
  'plain text. ',
  String.raw`It is \"quoted\".\n`,
  String.raw`\u6587\u6863`,
  '文档，',
  '😀',
  String.raw`C:\\d\\`,
];

test.each(documents)(
  'BR4 a long request of "%s" arrives byte for byte, wherever its id stands',
  async (piece) => {
    const { service, bridge } = await useBridged();
    const text = piece.repeat(1_300_000 / Buffer.byteLength(piece));
    const params = `"params":{"name":"read","arguments":{"a":"\\\\","text":"${text}"}}`;
    const requests = [
      (id: string) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call",${params}}`,
      (id: string) => `{"method":"tools/call",${params},"jsonrpc":"2.0","id":${id}}`,
    ];
    for (const [n, request] of requests.entries()) {
      // Asked twice: the second time from what was kept of it.
      service.once({ tool: 'read' }, redirect(307, '/mcp'));
      bridge.send(request(`"long-${n}"`));
      expect((await bridge.reply(`long-${n}`, 10_000)).result).toBeDefined();
      const seen = service.record.of('tools/call').slice(-2);
      for (const each of seen) expect(each.text === request(idTextOf(each.messages[0]!.id))).toBe(true);
    }
    expect(service.record.of('tools/call')).toHaveLength(4);
  },
);

test('BR4 BR13 long requests side by side, and one that is cancelled half way, do not mix', async () => {
  const { service, bridge } = await useBridged();
  const texts = Array.from({ length: 8 }, (_, n) => `${n}\\n`.repeat(200_000));
  for (const [n, text] of texts.entries()) {
    const value = `{"name":"echo","arguments":{"value":"${text}"}}`;
    bridge.send(`{"jsonrpc":"2.0","id":"beside-${n}","method":"tools/call","params":${value}}`);
    if (n === 3) bridge.notify('notifications/cancelled', { requestId: 'beside-3' });
  }
  for (const [n, text] of texts.entries()) {
    if (n === 3) continue;
    const { result } = await bridge.reply(`beside-${n}`, 10_000);
    expect(JSON.stringify(result).includes(`"value":"${text}"`)).toBe(true);
  }
  const sent = service.record.of('tools/call').map(({ text }) => /"value":"(\d)/.exec(text)?.[1]);
  expect(new Set(sent).size).toBe(sent.length);
});
