// What no service should answer, through the real program: each becomes one clear error for the request concerned, never
// a hang, and the next request works.
import { expect, test } from 'vitest';
import {
  accepted,
  busy,
  changed,
  closeBefore,
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
  rawBody,
  rawSse,
  redirect,
  resetAfter,
  resetBefore,
  sseEvent,
  sseWithoutAnswer,
  status,
  unauthorized,
  unknownId,
  wrongContentType,
  type Action,
} from '../support/scripted-service.ts';
import { expectBridgeError, expectOneReplyEach, useBridge, useBridged, useService } from '../support/use.ts';

/** With a token of its own, a bridge takes 401 as it comes; what it means for a sign-in is in sign-in/running.test.ts. */
const env = { TOKEN: 'Bearer t' };
const ownToken = ['--header', 'Authorization=env:TOKEN'];

const args = [...ownToken, '--max-event-bytes', '200000', '--max-body-bytes', '200000'];
/** For what ends at its time limit alone. */
const shortLimits = ['--tool-timeout-ms', '1500', '--request-timeout-ms', '1500'];

const outcomeUnknown = 'ERR_UPSTREAM_OUTCOME_UNKNOWN';
const rows: [what: string, action: Action, onRead: string, onWrite: string][] = [
  ['an HTML page with 200', htmlPage(200), 'ERR_UPSTREAM_BAD_ANSWER', outcomeUnknown],
  ['an HTML page with 502', htmlPage(502), 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['an HTML page with 504', htmlPage(504), 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['an HTML page with 500', htmlPage(500), 'ERR_UPSTREAM_HTTP_STATUS', outcomeUnknown],
  ['a wrong content type', wrongContentType, 'ERR_UPSTREAM_BAD_ANSWER', outcomeUnknown],
  ['invalid JSON', invalidJson, 'ERR_UPSTREAM_BAD_ANSWER', outcomeUnknown],
  ['JSON that is not JSON-RPC', rawBody(() => '{"ok":true}'), 'ERR_UPSTREAM_BAD_ANSWER', outcomeUnknown],
  ['a JSON string', rawBody(() => '"ok"'), 'ERR_UPSTREAM_BAD_ANSWER', outcomeUnknown],
  ['bytes that are not UTF-8', changedToLatin1(), 'ERR_UPSTREAM_BAD_ANSWER', outcomeUnknown],
  ['an answer with an unknown id', unknownId, 'ERR_UPSTREAM_BAD_ANSWER', outcomeUnknown],
  [
    'an event with invalid JSON',
    rawSse(() => sseEvent('{"jsonrpc":')),
    'ERR_UPSTREAM_BAD_ANSWER',
    outcomeUnknown,
  ],
  [
    'an event with an unknown id',
    rawSse(() => sseEvent('{"jsonrpc":"2.0","id":"x","result":{}}')),
    'ERR_UPSTREAM_BAD_ANSWER',
    outcomeUnknown,
  ],
  ['an endless event', longSseLine(), 'ERR_UPSTREAM_TOO_LARGE', outcomeUnknown],
  ['an endless body', longJson(), 'ERR_UPSTREAM_TOO_LARGE', outcomeUnknown],
  ['a body over the limit', longJson(200_001), 'ERR_UPSTREAM_TOO_LARGE', outcomeUnknown],
  ['a reset before it ran', resetBefore, 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['a reset after it ran', resetAfter, 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['a close instead of an answer', closeBefore, 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['half a JSON body, then a reset', halfJson('reset'), 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['half a JSON body, then the end', halfJson('finish'), 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['half an event, then a reset', halfSse('reset'), 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['half an event, then the end', halfSse('finish'), 'ERR_UPSTREAM_UNREACHABLE', outcomeUnknown],
  ['a stream without the answer', sseWithoutAnswer, 'ERR_UPSTREAM_NO_ANSWER', outcomeUnknown],
  ['202', accepted, 'ERR_UPSTREAM_NO_ANSWER', outcomeUnknown],
  ['401', unauthorized, 'ERR_AUTH_REQUIRED', 'ERR_AUTH_REQUIRED'],
  ['403', forbidden, 'ERR_AUTH_FORBIDDEN', 'ERR_AUTH_FORBIDDEN'],
  ['405', status(405), 'ERR_UPSTREAM_HTTP_STATUS', 'ERR_UPSTREAM_HTTP_STATUS'],
  ['413', status(413), 'ERR_UPSTREAM_HTTP_STATUS', 'ERR_UPSTREAM_HTTP_STATUS'],
  ['429', busy(429), 'ERR_UPSTREAM_BUSY', 'ERR_UPSTREAM_BUSY'],
  ['503', busy(503), 'ERR_UPSTREAM_BUSY', 'ERR_UPSTREAM_BUSY'],
  [
    'a redirect to elsewhere',
    redirect(307, 'http://127.0.0.1:9/mcp'),
    'ERR_UPSTREAM_REDIRECT',
    'ERR_UPSTREAM_REDIRECT',
  ],
  ['a redirect to nowhere', redirect(308, 'http://'), 'ERR_UPSTREAM_REDIRECT', 'ERR_UPSTREAM_REDIRECT'],
  [
    'a redirect that changes POST to GET',
    redirect(302, '/mcp'),
    'ERR_UPSTREAM_REDIRECT',
    'ERR_UPSTREAM_REDIRECT',
  ],
  ['a redirect in a circle', redirect(307, '/mcp'), 'ERR_UPSTREAM_REDIRECT', 'ERR_UPSTREAM_REDIRECT'],
  ['no answer at all', hang, 'ERR_UPSTREAM_TIMEOUT', outcomeUnknown],
  ['no answer after it ran', hangAfter, 'ERR_UPSTREAM_TIMEOUT', outcomeUnknown],
  ['a stream in which nothing comes', hangInSse, 'ERR_UPSTREAM_TIMEOUT', outcomeUnknown],
];

function changedToLatin1(): Action {
  return (exchange) => {
    exchange.res.writeHead(200, { 'content-type': 'application/json' });
    exchange.res.end(
      Buffer.from(`{"jsonrpc":"2.0","id":${exchange.idText},"result":{"text":"é"}}`, 'latin1'),
    );
  };
}

test.each(rows)('BR12 BR13 %s becomes one error for the request', async (_what, action, onRead, onWrite) => {
  const limits = onRead === 'ERR_UPSTREAM_TIMEOUT' ? shortLimits : [];
  const { service, bridge } = await useBridged({ launch: { args: [...args, ...limits], env } });
  const rules = [service.always({ rpc: 'prompts/list' }, action), service.always({ tool: 'write' }, action)];
  const [read, write] = await Promise.all([
    bridge.request('prompts/list', {}, { id: 'read' }),
    bridge.callTool('write', { key: 'k' }, { id: 'write' }),
  ]);
  expect([expectBridgeError(read), expectBridgeError(write)]).toEqual([onRead, onWrite]);
  // A write is sent once (a redirect answers before it runs) and runs once at most.
  expect(service.record.executions.get('k') ?? 0).toBeLessThanOrEqual(1);
  // No word of the service's page or of its bytes in the message for the client.
  expect(write.error!.message).not.toMatch(/<html|xxxx/);

  for (const rule of rules) rule.remove();
  expect(await bridge.callTool('write', { key: 'next' })).toHaveProperty('result');
  expect(await bridge.request('prompts/list')).toHaveProperty('result');
  await bridge.close();
  expectOneReplyEach(bridge, ['read', 'write']);
  expect(service.record.executions.get('next')).toBe(1);
});

test.each([
  [
    404,
    'application/json',
    '{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"Method not found"}}',
    -32601,
  ],
  [
    400,
    'application/json',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"Bad params"}}',
    -32602,
  ],
  [500, 'application/json', '{"jsonrpc":"2.0","id":ID,"error":{"code":-32603,"message":"Inside"}}', -32603],
])('BR12 a JSON-RPC error in an HTTP %i is the answer', async (code, type, body, rpcCode) => {
  const { service, bridge } = await useBridged({ service: { sessions: false } });
  service.once({ tool: 'read' }, (exchange) =>
    exchange.respond(code, type, body.replace('ID', exchange.idText)),
  );
  expect(await bridge.callTool('read', {}, { id: 'r' })).toMatchObject({ id: 'r', error: { code: rpcCode } });
});

test('BR12 what is wrong with one request disturbs none beside it', async () => {
  const { service, bridge } = await useBridged({ launch: { args, env } });
  service.always({ tool: 'write', key: 'reset' }, resetAfter);
  service.always({ tool: 'write', key: 'endless' }, longSseLine());
  service.always({ tool: 'write', key: 'html' }, htmlPage(502));
  service.always({ tool: 'write', key: 'unknown' }, unknownId);
  const bad = Array.from({ length: 10 }, () => ['reset', 'endless', 'html', 'unknown']).flat();
  const good = Array.from({ length: 40 }, (_, i) => `good-${i}`);
  const outcomes = await Promise.all([
    ...bad.map((key) => bridge.callTool('write', { key })),
    ...good.map((value) => bridge.callTool('echo', { value, ms: 20 })),
  ]);
  for (const reply of outcomes.slice(0, bad.length)) expect(expectBridgeError(reply)).toBe(outcomeUnknown);
  expect(
    outcomes
      .slice(bad.length)
      .map(({ result }) => (result as { structuredContent?: object }).structuredContent),
  ).toEqual(good.map((value) => ({ value })));
  expect(service.record.handshakes).toBe(1);
});

test('BR12 nonsense on the GET stream disturbs no call and is not passed on', async () => {
  const { service, bridge } = await useBridged();
  service.pushRaw('{"jsonrpc":"2.0","id":"stray","result":{}}');
  service.pushRaw('not json');
  expect(await bridge.callTool('read')).toHaveProperty('result');
  service.pushRaw('{"jsonrpc":"2.0","method":5}');
  expect(await bridge.callTool('read')).toHaveProperty('result');
  await bridge.close();
  expect(bridge.lines).toHaveLength(3);
});

test('BR12 SC4 an endless line on the GET stream is not kept in memory', async () => {
  const service = await useService();
  service.always({ http: 'GET' }, longSseLine());
  const bridge = await useBridge(service, { args: ['--max-event-bytes', '1000000'] });
  await bridge.initialize();
  await service.until(() => service.record.by('GET').length > 0 && service.openSockets <= 2);
  for (let i = 0; i < 50; i += 1) expect(await bridge.callTool('read')).toHaveProperty('result');
  expect(bridge.peakMemory() ?? 0).toBeLessThan(150e6);
});

test('BR12 BR6 past its time limit a call is cancelled at the service, and its late answer is dropped', async () => {
  const { service, bridge } = await useBridged({ launch: { args: ['--tool-timeout-ms', '200'] } });
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  service.once({ tool: 'write' }, async (exchange) => {
    await released;
    exchange.respondJson(`{"jsonrpc":"2.0","id":${exchange.idText},"result":{"late":true}}`);
  });
  const reply = await bridge.callTool('write', { key: 'k' }, { id: 'w' });
  expect(expectBridgeError(reply)).toBe(outcomeUnknown);
  await service.until(() => service.record.cancelled.length === 1);
  expect(service.record.cancelled[0]).toEqual(service.record.of('tools/call')[0]!.messages[0]!.id);
  release();
  expect(await bridge.request('prompts/list')).toHaveProperty('result');
  await bridge.close();
  expectOneReplyEach(bridge, ['w']);
});

test.each<[string, Action]>([
  ['an HTML page', htmlPage(200)],
  ['401', unauthorized],
  ['403', forbidden],
  ['404 without a stream', status(404)],
  ['500', status(500)],
  ['invalid JSON', invalidJson],
  ['a result without a revision', rawBody((id) => `{"jsonrpc":"2.0","id":${id},"result":{}}`)],
  ['a result that is no object', rawBody((id) => `{"jsonrpc":"2.0","id":${id},"result":7}`)],
  ['a session id that cannot be a header', changed((answer) => answer)],
  ['half a body', halfJson('reset')],
  ['an endless event', longSseLine()],
  ['silence', hang],
])(
  'BR12 BR13 %s in answer to `initialize` ends in one reply, and trying again works',
  async (what, action) => {
    const service = await useService();
    const rule = service.always(
      { rpc: 'initialize' },
      what.startsWith('a session id') ? withBadSessionId : action,
    );
    // What looks for the older transport finds nothing.
    service.always({ http: 'GET', when: () => service.sessionCount === 0 }, status(405));
    const bridge = await useBridge(service, {
      args: ['--initialize-timeout-ms', '500', '--max-event-bytes', '100000', ...ownToken],
      env,
    });
    const first = await bridge.initialize();
    expect(first.result ?? first.error).toBeDefined();
    rule.remove();
    expect(await bridge.initialize()).toHaveProperty('result');
    expect(await bridge.callTool('read')).toHaveProperty('result');
    expect((await bridge.close()).code).toBe(0);
    expectOneReplyEach(bridge, [1, 2, 3]);
  },
);

const withBadSessionId: Action = async (exchange) => {
  const answer = (await exchange.execute())!;
  exchange.respond(200, 'application/json', answer, { 'mcp-session-id': 'has spaces' });
};

test('BR12 a JSON-RPC error in answer to `initialize` reaches the client as it is', async () => {
  const service = await useService();
  const error = {
    code: -32602,
    message: 'Unsupported protocol version',
    data: { supported: ['2025-11-25'] },
  };
  service.once(
    { rpc: 'initialize' },
    rawBody((id) => JSON.stringify({ jsonrpc: '2.0', id: Number(id), error })),
  );
  const bridge = await useBridge(service);
  expect((await bridge.initialize()).error).toEqual(error);
  expect(await bridge.initialize()).toHaveProperty('result');
});

test('BR12 BR13 a service that is away gets each request one error, and the bridge stays', async () => {
  const { service, bridge } = await useBridged({ launch: { args: [...args, ...shortLimits], env } });
  service.stop();
  const ids = Array.from({ length: 20 }, (_, i) => `away-${i}`);
  const replies = await Promise.all(ids.map((id) => bridge.callTool('write', { key: id }, { id })));
  for (const reply of replies) expect(expectBridgeError(reply)).toMatch(/^ERR_/);
  expectOneReplyEach(bridge, ids);
  await service.comeBack();
  await expect
    .poll(async () => (await bridge.callTool('read')).result, { interval: 100, timeout: 8000 })
    .toBeDefined();
  expect(service.record.executions.size).toBe(0);
});
