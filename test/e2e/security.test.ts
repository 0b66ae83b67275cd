// Where credentials may go, through the real program.
import { expect, test } from 'vitest';
import { redirect, type ServiceOptions } from '../support/scripted-service.ts';
import { expectBridgeError, useBridge, useBridged, useService } from '../support/use.ts';

const secret = 'Bearer s3cr3t-t0ken';
const withSecret = { args: ['--header', 'Authorization=env:TEST_TOKEN'], env: { TEST_TOKEN: secret } };

test.each([
  'http://example.com/mcp',
  'http://192.0.2.1:8080/mcp',
  'http://localhost.example.com/mcp',
  'http://127.0.0.1.example.com/mcp',
  'http://[2001:db8::1]/mcp',
])('SC1 refuses %s with a message that names --allow-http', async (url) => {
  const bridge = await useBridge(url);
  expect((await bridge.exit()).code).toBe(2);
  expect(bridge.stderr).toContain('--allow-http');
  expect(bridge.stderr).toContain(new URL(url).host);
  expect(bridge.stdout).toHaveLength(0);
});

test.each([
  ['the flag', { args: ['--allow-http'] }],
  ['the variable', { env: { MCP_BRIDGE_ALLOW_HTTP: 'true' } }],
])('SC1 takes http to another host with %s', async (_what, launch) => {
  const bridge = await useBridge('http://example.com/mcp', launch);
  // Answered without a connection (HS4), so nothing goes to that host here.
  expect(await bridge.request('server/discover')).toHaveProperty('error');
  expect((await bridge.close()).code).toBe(0);
});

test.each(['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'LOCALHOST', 'service.localhost'])(
  'SC1 takes http to %s without a flag',
  async (host) => {
    const bridge = await useBridge(`http://${host}:9/mcp`);
    expect(await bridge.request('server/discover')).toHaveProperty('error');
  },
);

test.each([
  'file:///etc/passwd',
  'ftp://example.com/mcp',
  'ws://example.com/mcp',
  'javascript://example.com/%0aalert(1)',
  'https://',
])('SC2 refuses %s, which is no http(s) URL', async (url) => {
  const bridge = await useBridge(url);
  expect((await bridge.exit()).code).toBe(2);
  expect(bridge.stderr).not.toBe('');
  expect(bridge.stdout).toHaveLength(0);
});

test('SC1 refuses a password in the URL and does not print it', async () => {
  const bridge = await useBridge('https://user:hunter2@example.com/mcp');
  expect((await bridge.exit()).code).toBe(2);
  expect(bridge.stderr).not.toContain('hunter2');
});

test.each(['json', 'sse', 'legacy'])(
  'SC1 sends the header from the environment with every request to the service (%s)',
  async (how) => {
    const options: Partial<ServiceOptions> =
      how === 'legacy' ? { legacyPath: '/sse' } : { answers: how as 'json' | 'sse' };
    const { service, bridge } = await useBridged({ service: options, launch: withSecret });
    await bridge.callTool('read');
    expect((await bridge.close()).code).toBe(0);
    expect(service.record.requests.length).toBeGreaterThan(3);
    expect(service.record.requests.filter(({ headers }) => headers['authorization'] !== secret)).toEqual([]);
  },
);

test('SC1 no log level prints the secret', async () => {
  const { service, bridge } = await useBridged({
    launch: { ...withSecret, args: [...withSecret.args, '--log-level', 'debug'] },
  });
  service.once({ tool: 'read' }, redirect(307, 'https://elsewhere.invalid/mcp'));
  await bridge.callTool('read');
  service.cutAll();
  await bridge.callTool('read');
  await bridge.close();
  expect(bridge.stderr).not.toContain('s3cr3t');
  expect(bridge.stdout.toString()).not.toContain('s3cr3t');
});

test.each([
  ['a variable that is not set', ['--header', 'Authorization=env:NO_SUCH_VARIABLE'], /NO_SUCH_VARIABLE/],
  ['a value on the command line', ['--header', 'Authorization=Bearer abc'], /env:/],
  ['a name that is no header', ['--header', 'Bad Name=env:TEST_TOKEN'], /bad name/i],
  ['a header of the protocol', ['--header', 'Mcp-Session-Id=env:TEST_TOKEN'], /mcp-session-id/i],
])('SC1 refuses a header with %s', async (_what, args, words) => {
  const bridge = await useBridge('https://example.com/mcp', { args, env: { TEST_TOKEN: secret } });
  expect((await bridge.exit()).code).toBe(2);
  expect(bridge.stderr).toMatch(words);
  expect(bridge.stderr).not.toContain('s3cr3t');
});

test('SC1 refuses a header value with a line break', async () => {
  const bridge = await useBridge('https://example.com/mcp', {
    args: withSecret.args,
    env: { TEST_TOKEN: 'a\r\nX-Evil: 1' },
  });
  expect((await bridge.exit()).code).toBe(2);
  expect(bridge.stderr).not.toContain('X-Evil');
});

test.each([301, 302, 303, 307, 308] as const)(
  'SC1 a %i to another origin is not followed: no request, no credentials',
  async (code) => {
    const other = await useService();
    const { service, bridge } = await useBridged({ launch: withSecret });
    service.always({ tool: 'read' }, redirect(code, other.url));
    const reply = await bridge.callTool('read');
    expect(expectBridgeError(reply)).toBe('ERR_UPSTREAM_REDIRECT');
    expect(reply.error!.message).toContain(other.origin);
    expect(other.socketsOpened).toBe(0);
  },
);

test.each(['initialize', 'GET', 'notifications/initialized', 'DELETE'])(
  'SC1 nor is one in answer to %s',
  async (what) => {
    const other = await useService();
    const service = await useService();
    const matcher = what === 'GET' || what === 'DELETE' ? ({ http: what } as const) : { rpc: what };
    const rule = service.always(matcher, redirect(308, other.url));
    const bridge = await useBridge(service, withSecret);
    await bridge.initialize();
    await bridge.close();
    expect(rule.hits).toBeGreaterThan(0);
    expect(other.socketsOpened).toBe(0);
  },
);

test('SC1 a redirect inside the origin is followed, with the body and the credentials', async () => {
  const { service, bridge } = await useBridged({ launch: withSecret });
  service.once({ tool: 'write' }, redirect(307, '/mcp?moved'));
  expect(await bridge.callTool('write', { key: 'k' })).toMatchObject({
    result: { content: [{ text: 'write k' }] },
  });
  expect(service.record.executions.get('k')).toBe(1);
  const [first, second] = service.record.of('tools/call');
  expect(second!.path).toBe('/mcp?moved');
  expect(second!.text).toBe(first!.text);
  expect(second!.headers['authorization']).toBe(secret);
});

test('SC1 an `endpoint` event that names another origin is not followed', async () => {
  const other = await useService();
  const service = await useService();
  service.always({ http: 'POST' }, (exchange) => exchange.respond(405, undefined, ''));
  service.always({ http: 'GET' }, ({ res }) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(`event: endpoint\ndata: ${other.url}\n\n`);
  });
  const bridge = await useBridge(service, {
    ...withSecret,
    args: [...withSecret.args, '--initialize-timeout-ms', '1000'],
  });
  expect(await bridge.initialize()).toHaveProperty('error');
  expect(other.socketsOpened).toBe(0);
});
