// Secrets, argument values and results go through every path, good and bad, and none of them is found in anything that is
// written but the client's own pipe.
import { describe, expect, test } from 'vitest';
import {
  htmlPage,
  invalidJson,
  rawBody,
  rawResult,
  redirect,
  resetAfter,
  sessionNotFound,
  unknownId,
  type ScriptedService,
} from '../../support/scripted-service.ts';
import { useService } from '../../support/use.ts';
import { program, watched, type Running, type World } from './worlds.ts';

/** Each is a word that stands nowhere else, named for where it comes from. */
const SECRETS = {
  header: 'zq-header-7f1',
  query: 'zq-query-7f2',
  argument: 'zq-argument-7f3',
  result: 'zq-result-7f4',
  errorText: 'zq-error-7f5',
  page: 'zq-page-7f6',
  location: 'zq-location-7f7',
  notJson: 'zq-notjson-7f8',
  badRequest: 'zq-badrequest-7f9',
  tooLong: 'zq-toolong-7fa',
  id: 'zq-id-7fb',
  progress: 'zq-progress-7fc',
  uri: 'zq-uri-7fd',
  question: 'zq-question-7fe',
  reply: 'zq-reply-7ff',
  notification: 'zq-notification-801',
  brokenAnswer: 'zq-broken-802',
  capability: 'zq-capability-804',
} as const;

const worlds: readonly (readonly [string, World])[] = [
  ["in the client's process", program({ MCP_BRIDGE_DAEMON: 'off' })],
  ['through the daemon', program({ MCP_BRIDGE_DAEMON: 'on' })],
  ['with all that can watch it', watched],
];

describe.each(worlds)('ST4 SC1 %s', (_where, launch) => {
  test('no secret, argument value or result is written anywhere', { timeout: 30_000 }, async () => {
    const service = await useService();
    const running = await launch({
      url: `${service.url}?key=${SECRETS.query}`,
      flags: { 'log-level': 'debug', 'max-line-bytes': '20000', 'tool-timeout-ms': '1500' },
      headers: ['Authorization=env:TOKEN'],
      env: { TOKEN: `Bearer ${SECRETS.header}` },
    });
    await drive(service, running);
    const written = await running.end();

    // The test is worth something only where all of them were on their way, and the log was kept.
    const sent = service.record.requests.map(
      ({ text, path, headers }) => `${path} ${headers['authorization']} ${text}`,
    );
    const passed = `${sent.join('\n')}\n${running.received()}`;
    for (const name of [
      'header',
      'query',
      'argument',
      'result',
      'errorText',
      'uri',
      'question',
      'reply',
    ] as const)
      expect([name, passed.includes(SECRETS[name])]).toEqual([name, true]);
    const all = [...written.values()].join('\n');
    expect(all).toMatch(/request\.settled/);
    expect(all.match(/client\.bad-line/g)?.length).toBeGreaterThanOrEqual(4);

    const found = [...written].flatMap(([where, text]) =>
      [...Object.entries(SECRETS), ...sessionIds(service)]
        .filter(([, secret]) => text.includes(secret))
        .map(([name]) => `${name} in ${where}`),
    );
    expect(found).toEqual([]);
  });
});

/** Who knows a session's id can speak in its name. */
function sessionIds(service: ScriptedService): [string, string][] {
  const ids = service.record.requests.flatMap(({ headers }) => [headers['mcp-session-id'] ?? []].flat());
  return [...new Set(ids)].map((id) => ['session id', id]);
}

async function drive(service: ScriptedService, { send, received }: Running): Promise<void> {
  let nextId = 1;
  const until = async (fits: () => boolean, what: string): Promise<void> => {
    const limit = performance.now() + 10_000;
    while (!fits()) {
      if (performance.now() > limit)
        throw new Error(`Waited in vain for ${what}\n${received().slice(-2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const ask = async (method: string, params: object, id: string | number = nextId++): Promise<void> => {
    send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    const ids = `"id":${JSON.stringify(id)}`;
    await until(() => received().includes(`${ids},`) || received().includes(`${ids}}`), `${method} ${id}`);
  };
  const call = (name: string, more: object = {}, id?: string): Promise<void> =>
    ask('tools/call', { name, arguments: { value: SECRETS.argument, ...more } }, id);

  await ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: { experimental: { [SECRETS.capability]: {} }, elicitation: {} },
    clientInfo: { name: 'tester', version: '1' },
  });
  send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  await until(() => service.openGetStreams > 0, 'the stream of the service');

  // What goes well.
  await call('echo');
  service.once({ tool: 'read' }, rawResult(`{"content":[{"type":"text","text":"${SECRETS.result}"}]}`));
  await call('read');
  await call('read', {}, SECRETS.id);
  await ask('tools/list', {});
  await ask('resources/subscribe', { uri: `x://${SECRETS.uri}` });
  await ask('resources/read', { uri: `x://${SECRETS.uri}` });
  await ask('tools/call', {
    name: 'progress',
    arguments: { steps: 2 },
    _meta: { progressToken: SECRETS.progress },
  });
  service.notify('notifications/message', { level: 'info', data: SECRETS.notification });
  await until(() => received().includes(SECRETS.notification), 'the notification');
  const answer = service.ask('elicitation/create', { message: SECRETS.question });
  await until(() => received().includes(SECRETS.question), 'the question');
  const questionId = /"id":("[^"]*"|\d+)[^\n]*elicitation|elicitation[^\n]*"id":("[^"]*"|\d+)/.exec(
    received(),
  );
  const content = { action: 'accept', content: { a: SECRETS.reply } };
  send(`{"jsonrpc":"2.0","id":${questionId?.[1] ?? questionId?.[2]},"result":${JSON.stringify(content)}}`);
  await answer;

  // What the service does wrong.
  await call('no-such-tool');
  const error = JSON.stringify({ code: -32000, message: SECRETS.errorText, data: SECRETS.errorText });
  const errorBody = rawBody((id) => `{"jsonrpc":"2.0","id":${id},"error":${error}}`);
  service.once({ tool: 'write' }, errorBody);
  await call('write');
  service.once({ tool: 'write' }, resetAfter);
  await call('write', { key: SECRETS.argument });
  service.once({ tool: 'read' }, resetAfter);
  await call('read');
  service.once({ tool: 'read' }, sessionNotFound);
  await call('read');
  service.once({ tool: 'write' }, unknownId);
  await call('write');
  service.once({ tool: 'write' }, invalidJson);
  await call('write', { key: SECRETS.argument });
  service.once(
    { tool: 'write' },
    rawBody(() => `{"jsonrpc":"2.0","id":1,"result":{"${SECRETS.brokenAnswer}`),
  );
  await call('write');
  service.once({ tool: 'write' }, htmlPage(502));
  await call('write');
  service.once({ tool: 'write' }, (exchange) => exchange.respond(400, 'text/plain', SECRETS.page));
  await call('write');
  service.once({ tool: 'write' }, (exchange) =>
    exchange.respond(500, 'application/json', `{"e":"${SECRETS.page}"}`),
  );
  await call('write');
  service.once(
    { tool: 'write' },
    redirect(307, `https://elsewhere.invalid/${SECRETS.location}?k=${SECRETS.location}`),
  );
  await call('write');
  await call('slow', { ms: 2500 });

  // What the client does wrong.
  const refused = (line: string): void => send(line);
  refused(`not json ${SECRETS.notJson}`);
  refused(`{"jsonrpc":"2.0","id":"x","params":{"a":"${SECRETS.badRequest}"}}`);
  refused(`{"jsonrpc":"1.0","id":"y","method":"tools/call","params":{"a":"${SECRETS.badRequest}"}}`);
  refused(`[{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"${SECRETS.badRequest}"}}]`);
  refused(`{"jsonrpc":"2.0","id":"z","method":"ping","params":{"a":"${SECRETS.tooLong.repeat(3000)}"}}`);
  refused(`{"jsonrpc":"2.0","id":"nobody","result":{"a":"${SECRETS.badRequest}"}}`);
  const twice = JSON.stringify({
    jsonrpc: '2.0',
    id: SECRETS.id,
    method: 'tools/call',
    params: { name: 'slow', arguments: { ms: 300, value: SECRETS.argument } },
  });
  send(twice);
  send(twice);
  send(
    `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"${SECRETS.id}","reason":"${SECRETS.argument}"}}`,
  );
  await call('read');
}
