// A real keychain below the running bridge, and what becomes of calls when it is locked or hangs.
import { expect, test, type TestContext } from 'vitest';
import { runCli } from '../../support/cli-process.ts';
import { useDaemonHome, type DaemonHome } from '../../support/daemon-home.ts';
import { LoginProcess } from '../../support/login-process.ts';
import { useProtectedService } from '../../support/protected-service.ts';
import { SecretService } from '../../support/secret-service.ts';
import { expectBridgeError, useBridge } from '../../support/use.ts';

/** What a failure of the keychain must come within, and what a busy machine adds. */
const LIMIT_MS = 6000 + 2000;

const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw-client', version: '1.0.0' },
};

interface SignedIn {
  readonly keyring: SecretService;
  readonly home: DaemonHome;
  readonly url: string;
}

async function useSignedIn(context: TestContext): Promise<SignedIn> {
  const keyring = await SecretService.start(context);
  await keyring.openKeyring();
  const { service } = await useProtectedService();
  const home = useDaemonHome();
  const { code, stderr } = await new LoginProcess(
    home.path,
    service.url,
    ['--no-browser'],
    keyring.bus,
  ).visit();
  expect([code, stderr]).toEqual([0, '']);
  return { keyring, home, url: service.url };
}

test(
  'AU2 AU7 a locked keychain is said in each call, and opening it heals',
  { timeout: 60_000 },
  async (context) => {
    const { keyring, home, url } = await useSignedIn(context);
    await keyring.lockKeyring();
    const bridge = await useBridge(url, home.launch({ env: keyring.bus }));
    await bridge.initialize();
    const call = () => bridge.callTool('search_notes', { query: 'x' }, { timeoutMs: 15_000 });
    const from = performance.now();
    const reply = await call();
    expect(expectBridgeError(reply)).toBe('ERR_KEYCHAIN_LOCKED');
    expect(reply.error!.message).toContain('Unlock it');
    expect(performance.now() - from).toBeLessThan(LIMIT_MS);
    await keyring.openKeyring();
    await expect.poll(async () => (await call()).error, { timeout: 30_000, interval: 200 }).toBeUndefined();
  },
);

test(
  'AU2 a keychain that hangs costs a call and a login some seconds each, and nothing is lost',
  { timeout: 60_000 },
  async (context) => {
    const { keyring, home, url } = await useSignedIn(context);
    const hole = await SecretService.start(context);
    await hole.startBlackHole();
    const bridge = await useBridge(url, home.launch({ env: hole.bus }));
    await bridge.request('initialize', HELLO, { timeoutMs: 15_000 });
    const from = performance.now();
    const reply = await bridge.callTool('search_notes', { query: 'x' }, { timeoutMs: 15_000 });
    expect(expectBridgeError(reply)).toBe('ERR_KEYCHAIN_TIMEOUT');
    expect(performance.now() - from).toBeLessThan(LIMIT_MS);
    const startedAt = performance.now();
    const outcome = await runCli(home.path, ['login', url, '--no-browser'], hole.bus);
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_KEYCHAIN_TIMEOUT') });
    expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS);
    await bridge.close();
    await runCli(home.path, ['stop']);
    const later = await useBridge(url, home.launch({ env: keyring.bus }));
    await later.initialize();
    expect(
      (await later.callTool('search_notes', { query: 'x' }, { timeoutMs: 15_000 })).error,
    ).toBeUndefined();
  },
);
