// Which answer goes to which request, through the real program.
import { expect, test } from 'vitest';
import { heldUntil } from '../support/scripted-service.ts';
import { expectBridgeError, expectOneReplyEach, useBridged } from '../support/use.ts';

const echoed = (message: { result?: unknown }): unknown =>
  (message.result as { structuredContent?: { value?: unknown } }).structuredContent?.value;

test.each([
  ['a string', '"one"'],
  ['an empty string', '""'],
  ['a string of digits', '"1"'],
  ['a string with escapes', String.raw`"a\"b\\c\u00e9\n"`],
  ['a string outside ASCII', '"żółw 🐢"'],
  ['zero', '0'],
  ['a negative number', '-7'],
  ['the largest safe integer', '9007199254740991'],
  ['an integer of 20 digits', '12345678901234567890'],
  ['a fraction', '1.50'],
])('BR3 gives %s back as the id, type and text', async (_what, id) => {
  const { bridge } = await useBridged();
  bridge.send(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"read","arguments":{}}}`);
  await bridge.until(() => bridge.lines.length === 2);
  expect(bridge.lines[1]!.toString()).toBe(
    `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"read"}]}}`,
  );
});

test('BR3 BR13 tells 1 from "1" while both wait', async () => {
  const { service, bridge } = await useBridged();
  const bothWait = service.until(() => service.record.of('tools/call').length === 2);
  service.always({ tool: 'echo' }, heldUntil(bothWait));
  bridge.send({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo', arguments: { value: 'number' } },
  });
  bridge.send({
    jsonrpc: '2.0',
    id: '1',
    method: 'tools/call',
    params: { name: 'echo', arguments: { value: 'string' } },
  });
  await Promise.all([bridge.reply(1), bridge.reply('1')]);
  // `initialize` had the number 1 as well; its answer came before.
  expect(bridge.repliesTo(1).map(echoed)).toEqual([undefined, 'number']);
  expect(bridge.repliesTo('1').map(echoed)).toEqual(['string']);
});

test('BR3 BR13 answers two requests that wait under one id once each, and never with the wrong answer twice', async () => {
  const { service, bridge } = await useBridged();
  let release = (): void => {};
  service.always({ tool: 'echo' }, heldUntil(new Promise<void>((resolve) => (release = resolve))));
  const call = (value: string): object => ({
    jsonrpc: '2.0',
    id: 'same',
    method: 'tools/call',
    params: { name: 'echo', arguments: { value } },
  });
  bridge.send(call('first'));
  bridge.send(call('second'));
  // The one that came first keeps the id; the other is told at once.
  expect(expectBridgeError(await bridge.reply('same'))).toBe('ERR_CLIENT_DUPLICATE_ID');
  release();
  await bridge.until(() => bridge.repliesTo('same').length === 2);
  expect(echoed(bridge.repliesTo('same')[1]!)).toBe('first');
  // The id is free again.
  bridge.send(call('third'));
  await bridge.until(() => bridge.repliesTo('same').length === 3);
  expect(echoed(bridge.repliesTo('same')[2]!)).toBe('third');
});

test.each(['json', 'sse'] as const)(
  'BR3 BR13 200 requests at once, answered out of order as %s, each get their own answer',
  async (answers) => {
    const { service, bridge } = await useBridged({ service: { answers } });
    const ids = Array.from({ length: 200 }, (_, i) =>
      i % 3 === 0 ? `id-${i}` : i % 3 === 1 ? 1000 + i : -1000 - i,
    );
    for (const [i, id] of ids.entries()) {
      // Longer for the earlier ones, so that answers overtake one another; where requests come a millisecond apart, only the first is.
      const args = { value: { id }, ms: i === 0 ? 500 : (200 - i) % 40 };
      bridge.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: args } });
    }
    await Promise.all(ids.map((id) => bridge.reply(id, 10_000)));
    expectOneReplyEach(bridge, ids);
    expect(ids.map((id) => echoed(bridge.repliesTo(id)[0]!))).toEqual(ids.map((id) => ({ id })));
    const order = bridge.messages.slice(1).map(({ id }) => id);
    expect(order).not.toEqual(ids);
    expect(service.record.handshakes).toBe(1);
  },
);

test('BR3 mixes methods, tools and errors without a mix-up', async () => {
  const { bridge } = await useBridged();
  const kinds = {
    ping: { method: 'ping' },
    list: { method: 'tools/list' },
    prompts: { method: 'prompts/list' },
    unknown: { method: 'no/such/method' },
    echo: { method: 'tools/call', params: { name: 'echo', arguments: { value: 1 } } },
    noTool: { method: 'tools/call', params: { name: 'nothing' } },
  };
  const ids = Array.from({ length: 20 }, (_, i) => Object.keys(kinds).map((kind) => `${kind}-${i}`)).flat();
  for (const id of ids) {
    bridge.send({ jsonrpc: '2.0', id, ...kinds[id.split('-')[0] as keyof typeof kinds] });
  }
  await Promise.all(ids.map((id) => bridge.reply(id)));
  expectOneReplyEach(bridge, ids);
  for (const id of ids) {
    const [reply] = bridge.repliesTo(id);
    const expected = {
      ping: { result: {} },
      list: { result: { tools: expect.any(Array) } },
      prompts: { result: { prompts: expect.any(Array) } },
      unknown: { error: { code: -32601, message: 'Method not found: no/such/method' } },
      echo: { result: { structuredContent: { value: 1 } } },
      noTool: { error: { code: -32602, message: 'Unknown tool: nothing' } },
    }[id.split('-')[0] as keyof typeof kinds];
    expect(reply).toMatchObject(expected);
  }
});

test('BR13 past the limit of requests in flight it refuses the next ones, and takes new ones when there is room', async () => {
  const { service, bridge } = await useBridged({ launch: { args: ['--max-in-flight', '3'] } });
  let release = (): void => {};
  service.always({ tool: 'read' }, heldUntil(new Promise<void>((resolve) => (release = resolve))));
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ids) bridge.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'read' } });
  for (const id of ['d', 'e']) {
    const reply = await bridge.reply(id);
    expect(expectBridgeError(reply)).toBe('ERR_CLIENT_TOO_MANY_REQUESTS');
    expect(reply).toMatchObject({ error: { data: { retryable: true } } });
  }
  release();
  for (const id of ['a', 'b', 'c']) expect(await bridge.reply(id)).toHaveProperty('result');
  expect(await bridge.callTool('echo', { value: 1 })).toHaveProperty('result');
  expectOneReplyEach(bridge, ids);
  expect(service.record.of('tools/call')).toHaveLength(4);
});
