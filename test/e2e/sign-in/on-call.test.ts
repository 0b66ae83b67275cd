// A page to sign in that a person's call opens: once, in one process of all, and for nothing else.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BridgeProcess, LaunchOptions } from '../../support/bridge-process.ts';
import { BrowserStub } from '../../support/browser-stub.ts';
import { runCli } from '../../support/cli-process.ts';
import { useDaemonHome } from '../../support/daemon-home.ts';
import { LoginProcess } from '../../support/login-process.ts';
import { useProtectedService } from '../../support/protected-service.ts';
import type { RpcMessage } from '../../support/scripted/messages.ts';
import { SecretService } from '../../support/secret-service.ts';
import { browse } from '../../support/sign-in-browser.ts';
import { keepSignIn, signInto } from '../../support/signed-in.ts';
import { expectBridgeError, useBridge } from '../../support/use.ts';

interface Place {
  readonly home: string;
  launch(env: Record<string, string>): LaunchOptions;
}

const places: readonly (readonly [string, () => Place])[] = [
  [
    "in the client's process",
    () => {
      const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-test-'));
      onTestFinished(() => rmSync(home, { recursive: true, force: true }));
      return { home, launch: (env) => ({ home, env }) };
    },
  ],
  [
    'in the background process',
    () => {
      const daemon = useDaemonHome();
      return { home: daemon.path, launch: (env) => daemon.launch({ env }) };
    },
  ],
];

/** A sign-in that the service does not take (any more), kept in a file. */
function spoilSignIn(home: string, service: string): Promise<void> {
  return keepSignIn(home, service, { kind: 'token', token: 'not-a-good-one' });
}

const call = (bridge: BridgeProcess): Promise<RpcMessage> =>
  bridge.callTool('search_notes', { query: 'x' }, { timeoutMs: 15_000 });

async function untilAnswered(bridge: BridgeProcess): Promise<void> {
  await expect.poll(async () => (await call(bridge)).error, { timeout: 8000, interval: 100 }).toBeUndefined();
}

describe.each(places)('AU4 %s', (_where, place) => {
  test('a call opens one page, which signs in; launches, lists and further calls open none', async () => {
    const { service, authorization } = await useProtectedService();
    const { launch, home } = place();
    const browser = new BrowserStub();
    await spoilSignIn(home, service.url);
    const bridge = await useBridge(service.url, launch(browser.env));
    await bridge.initialize();
    await bridge.request('tools/list');
    expect(browser.opened).toEqual([]);

    const first = await call(bridge);
    expect(expectBridgeError(first)).toBe('ERR_AUTH_REQUIRED');
    expect(first.error!.message).toContain('has just been opened in the browser');
    const more = await Promise.all([call(bridge), call(bridge), call(bridge)]);
    for (const { error } of more) expect(error!.message).toContain('is open already');
    const another = await useBridge(service.url, launch(browser.env));
    await another.initialize();
    expect((await call(another)).error!.message).toContain('is open already');

    const page = await browse(await browser.next());
    expect(page.text).toContain('You are signed in');
    await untilAnswered(bridge);
    await untilAnswered(another);
    expect(browser.opened).toHaveLength(1);
    expect(authorization.counts.signIns).toBe(1);

    // A want that is over makes room for another one.
    await spoilSignIn(home, service.url);
    await expect.poll(async () => (await call(bridge)).error?.message).toContain('has just been opened');
    await expect.poll(() => browser.opened.length).toBe(2);
  });

  test('who declines is asked no more, not after a restart either, and is told what to type', async () => {
    const { service } = await useProtectedService();
    const { launch, home } = place();
    const browser = new BrowserStub();
    await spoilSignIn(home, service.url);
    const bridge = await useBridge(service.url, launch(browser.env));
    await bridge.initialize();
    await call(bridge);
    const page = await browse(await browser.next(), { answer: 'deny' });
    expect(page.text).toContain('You are not signed in');
    await expect
      .poll(async () => (await call(bridge)).error!.message)
      .toContain(`mcp-bridge login ${service.url}`);
    await bridge.close();
    const next = await useBridge(service.url, launch(browser.env));
    await next.initialize();
    expect((await call(next)).error!.message).toContain(`mcp-bridge login ${service.url}`);
    expect(browser.opened).toHaveLength(1);
    await signInto(home, service.url);
    await untilAnswered(next);
  });

  test.each([
    ['the setting says never', { MCP_BRIDGE_OPEN_BROWSER: 'never' }],
    ['there is no screen', { DISPLAY: '' }],
    ['a token is given', { MCP_BRIDGE_TOKEN: 'not-a-good-one' }],
  ])('no page is opened where %s', async (_why, env) => {
    const { service } = await useProtectedService();
    const { launch, home } = place();
    const browser = new BrowserStub();
    await spoilSignIn(home, service.url);
    const bridge = await useBridge(service.url, launch({ ...browser.env, WAYLAND_DISPLAY: '', ...env }));
    await bridge.initialize();
    const { error } = await call(bridge);
    expect(error!.message).not.toContain('page');
    expect(browser.opened).toEqual([]);
  });

  test('no page is opened where the authorization server is away, and one is when it is back', async () => {
    const { service, authorization } = await useProtectedService();
    const { launch, home } = place();
    const browser = new BrowserStub();
    await spoilSignIn(home, service.url);
    const bridge = await useBridge(service.url, launch(browser.env));
    await bridge.initialize();
    await authorization.goAway();
    expect((await call(bridge)).error!.message).toContain('mcp-bridge login');
    expect(browser.opened).toEqual([]);
    await authorization.comeBack();
    await expect.poll(async () => (await call(bridge)).error!.message).toContain('has just been opened');
    await expect.poll(() => browser.opened.length).toBe(1);
  });

  test('no page is opened where what comes of it could not be kept', async () => {
    const { service } = await useProtectedService();
    const browser = new BrowserStub();
    const noKeychain = { ...browser.env, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere/bus' };
    const bridge = await useBridge(service.url, place().launch(noKeychain));
    await bridge.initialize();
    expect((await call(bridge)).error!.message).toContain('mcp-bridge login');
    expect(browser.opened).toEqual([]);
  });
});

test('AU4 calls that come while the page is being opened are told of it too', async () => {
  const { service } = await useProtectedService();
  const daemon = useDaemonHome();
  const browser = new BrowserStub();
  await spoilSignIn(daemon.path, service.url);
  const bridge = await useBridge(service.url, daemon.launch({ env: browser.env }));
  await bridge.initialize();
  const replies = await Promise.all([call(bridge), call(bridge), call(bridge)]);
  const told = (words: string): number =>
    replies.filter(({ error }) => error!.message.includes(words)).length;
  expect([told('has just been opened'), told('is open already')]).toEqual([1, 2]);
  await expect.poll(() => browser.opened.length).toBe(1);
});

test('AU4 AU6 who signs in by a page and out again gets another page', async (context) => {
  const keyring = await SecretService.start(context);
  await keyring.openKeyring();
  const { service } = await useProtectedService();
  const daemon = useDaemonHome();
  const browser = new BrowserStub();
  const env = { ...keyring.bus, ...browser.env };
  const bridge = await useBridge(service.url, daemon.launch({ env }));
  await bridge.initialize();
  expect((await call(bridge)).error!.message).toContain('has just been opened');
  await browse(await browser.next());
  await untilAnswered(bridge);
  expect(await runCli(daemon.path, ['logout', service.url], env)).toMatchObject({ code: 0 });
  await expect
    .poll(async () => (await call(bridge)).error?.message, { timeout: 8000 })
    .toContain('has just been opened');
  await expect.poll(() => browser.opened.length).toBe(2);
});

test('AU1 AU4 a call that lacks a scope opens a page that asks for it, once', async () => {
  const scopes = ['notes', 'notes:write'];
  const { service, check } = await useProtectedService({ scopes });
  const daemon = useDaemonHome();
  await new LoginProcess(daemon.path, service.url).visit();
  const browser = new BrowserStub();
  const bridge = await useBridge(service.url, daemon.launch({ env: browser.env }));
  await bridge.initialize();
  expect((await call(bridge)).error).toBeUndefined();
  // Behind the handshake, as a tool that takes more than the rest.
  check.scopes = scopes;
  const { error } = await call(bridge);
  expect(error).toMatchObject({ data: { code: 'ERR_AUTH_SCOPE' } });
  expect(error!.message).toContain('has just been opened');
  expect((await call(bridge)).error!.message).toContain('is open already');
  const address = await browser.next();
  expect(new URL(address).searchParams.get('scope')).toContain('notes notes:write');
  expect((await browse(address)).text).toContain('You are signed in');
  await untilAnswered(bridge);
  expect(browser.opened).toHaveLength(1);
});
