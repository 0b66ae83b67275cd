// `mcp-bridge login` and `logout`, the real programs, with a real authorization server.
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OAuthSignIn } from '../../../src/auth/sign-in.ts';
import { BrowserStub } from '../../support/browser-stub.ts';
import { CliProcess, runCli, useHome } from '../../support/cli-process.ts';
import { LoginProcess, TO_FILE } from '../../support/login-process.ts';
import { useProtectedService } from '../../support/protected-service.ts';
import { browse } from '../../support/sign-in-browser.ts';
import { expectBridgeError, useBridge, useService } from '../../support/use.ts';

/** What is kept in this home's only record. */
function keptIn(home: string): { text: string; signIn: OAuthSignIn } {
  const folder = join(home, 'state/secrets');
  const [name = '', ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  const text = readFileSync(join(folder, name), 'utf8');
  return { text, signIn: JSON.parse(text) as OAuthSignIn };
}

async function expectServed(home: string, service: string): Promise<void> {
  const bridge = await useBridge(service, { home });
  await bridge.initialize();
  expect((await bridge.callTool('search_notes', { query: 'x' })).error).toBeUndefined();
  await bridge.close();
}

describe('AU1 mcp-bridge login', () => {
  test('shows an address, waits, and keeps what comes of it; nothing of it is said', async () => {
    const { service, authorization } = await useProtectedService();
    const home = useHome();
    const outcome = await new LoginProcess(home, service.url).visit();
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toContain(`Signed in to Demo notes (${service.url}).`);
    expect(outcome.page).toContain('You are signed in');
    const { text, signIn } = keptIn(home);
    expect(outcome.stdout).not.toContain(signIn.refreshToken);
    expect(text).not.toContain('access_token');
    expect(authorization.counts).toMatchObject({ registered: 1, signIns: 1 });
    await expectServed(home, service.url);
  });

  test('opens the browser where there is a screen', async () => {
    const { service } = await useProtectedService();
    const home = useHome();
    const browser = new BrowserStub();
    const login = new LoginProcess(home, service.url, ['--insecure-storage'], browser.env);
    const { text } = await browse(await browser.next());
    expect(text).toContain('You are signed in');
    expect(await login.end()).toMatchObject({ code: 0 });
    expect(login.stdout).toContain('Opening the browser.');
  });

  test('declined: says so in both places, keeps nothing, and ends with 1', async () => {
    const { service } = await useProtectedService();
    const home = useHome();
    const outcome = await new LoginProcess(home, service.url).visit({ answer: 'deny' });
    expect(outcome).toMatchObject({ code: 1, page: expect.stringContaining('declined') });
    expect(outcome.stderr).toMatch(/^Not signed in to .* declined .*\(ERR_AUTH_REFUSED\)\n$/);
    expect(readdirSync(join(home, 'state'))).not.toContain('secrets/');
  });

  test('ended by Ctrl-C leaves nothing behind, and the address is closed', async () => {
    const { service } = await useProtectedService();
    const home = useHome();
    const login = new LoginProcess(home, service.url);
    const redirect = new URL(await login.address()).searchParams.get('redirect_uri') ?? '';
    login.kill('SIGINT');
    const { code, stderr } = await login.end();
    expect([code, stderr]).toEqual([1, expect.stringContaining('ERR_AUTH_ABANDONED')]);
    await expect(fetch(redirect)).rejects.toThrow('fetch failed');
  });

  test('on another device: shows a code, and waits for it', async () => {
    const { service } = await useProtectedService({ autoApprove: 'ada' });
    const home = useHome();
    const login = new LoginProcess(home, service.url, ['--device', '--insecure-storage']);
    const shown = await login.address();
    await login.says('has the code in it');
    const direct = await login.address(login.stdout.indexOf('has the code in it'));
    expect(direct.startsWith(shown)).toBe(true);
    await browse(direct);
    expect(await login.end()).toMatchObject({ code: 0 });
    expect(keptIn(home).signIn.grant).toBe('device_code');
  });

  test('without a person, by a secret or by a key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const base = {
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
      scope: 'notes',
    };
    const secret = 'a-secret-that-is-long-enough-for-anyone';
    const clients = [
      {
        ...base,
        client_id: 'robot',
        client_secret: secret,
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        ...base,
        client_id: 'machine',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [publicKey.export({ format: 'jwk' })] },
      },
    ];
    const { service } = await useProtectedService({ clients, registration: false });
    const home = useHome();
    const keyFile = join(home, 'key.pem');
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const flags = ['login', service.url, '--client-credentials', '--insecure-storage', '--scope', 'notes'];
    const env = { MCP_BRIDGE_CLIENT_SECRET: secret };
    const bySecret = await runCli(home, [...flags, '--client-id', 'robot'], env);
    expect(bySecret).toMatchObject({ code: 0, stderr: '' });
    await expectServed(home, service.url);
    const byKey = await runCli(home, [...flags, '--client-id', 'machine', '--private-key', keyFile]);
    expect(byKey).toMatchObject({ code: 0, stderr: '' });
    expect(keptIn(home).signIn.clientId).toBe('machine');
    await expectServed(home, service.url);
  });

  test('asks for more where the service wants more than was granted, once, for all of it', async () => {
    const scopes = ['notes', 'notes:write'];
    const { service } = await useProtectedService({ scopes }, { scopes });
    const home = useHome();
    const login = new LoginProcess(home, service.url, [...TO_FILE, '--scope', 'notes']);
    const first = await login.address();
    expect(new URL(first).searchParams.get('scope')).toBe('notes');
    await browse(first);
    await login.says('The service asks for more than that: notes notes:write.');
    const second = await login.address(login.stdout.indexOf('The service asks for more'));
    await browse(second);
    expect(await login.end()).toMatchObject({ code: 0 });
    await expectServed(home, service.url);
  });

  test('of a service that wants none says so', async () => {
    const service = await useService();
    const outcome = await runCli(useHome(), ['login', service.url]);
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('without a sign-in') });
  });

  test.each([
    [['--device', '--token'], 'do not go together'],
    [['--client-credentials'], 'needs --client-id'],
    [['--token'], 'No token was given'],
    [['--no-browser', '--redirect-port', '0'], 'whole number from 1 to 65535'],
  ])('%j is refused', async (flags, message) => {
    const { service } = await useProtectedService();
    const outcome = await runCli(useHome(), ['login', service.url, '--insecure-storage', ...flags]);
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});

test('AU3 without a keychain it refuses before anybody takes the trouble, and names the choices', async () => {
  const { service, authorization } = await useProtectedService();
  const home = useHome();
  const outcome = await runCli(home, ['login', service.url, '--no-browser', '--redirect-port', '4711']);
  expect(outcome).toMatchObject({ code: 1, stdout: '' });
  expect(outcome.stderr).toMatch(/keychain.*--insecure-storage.*MCP_BRIDGE_TOKEN.*\(ERR_KEYCHAIN_MISSING\)/);
  expect(authorization.counts.registered).toBe(0);
});

describe('AU5 login --token', () => {
  test('reads the token from stdin, never from an argument', async () => {
    const { service, authorization } = await useProtectedService();
    const home = useHome();
    const other = useHome();
    await new LoginProcess(other, service.url).visit();
    // A token that somebody has made elsewhere.
    const made = await tokenFrom(keptIn(other).signIn, authorization.issuer, service.url);
    const flags = ['login', service.url, '--token', '--insecure-storage'];
    const outcome = await new CliProcess(home, flags, {}, `${made}\n`).end();
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).not.toContain(made);
    await expectServed(home, service.url);
    expect(await runCli(home, [...flags, made])).toMatchObject({ code: 2 });
    // And from the environment, where nothing is kept.
    const bridge = await useBridge(service.url, { env: { MCP_BRIDGE_TOKEN: made } });
    await bridge.initialize();
    expect((await bridge.callTool('search_notes', { query: 'x' })).error).toBeUndefined();
  });

  test.each([
    ['two words', 2, 'That is no token'],
    ['not-a-good-one', 1, 'does not take the token'],
  ])('%j is refused', async (given, code, message) => {
    const { service } = await useProtectedService();
    const home = useHome();
    const flags = ['login', service.url, '--token', '--insecure-storage'];
    const outcome = await new CliProcess(home, flags, {}, given).end();
    expect(outcome).toMatchObject({ code, stderr: expect.stringContaining(message) });
    expect(`${outcome.stdout}${outcome.stderr}`).not.toContain(given);
  });
});

test('AU1 AU4 a call that needs more scopes names them, and the next sign-in asks for them', async () => {
  const scopes = ['notes', 'notes:write'];
  const { service, check } = await useProtectedService({ scopes });
  const home = useHome();
  await new LoginProcess(home, service.url).visit();
  const bridge = await useBridge(service.url, { home });
  await bridge.initialize();
  check.scopes = scopes;
  const { error } = await bridge.callTool('search_notes', { query: 'x' });
  expect(error).toMatchObject({ data: { code: 'ERR_AUTH_SCOPE' } });
  expect(error!.message).toContain('notes, notes:write');
  const login = new LoginProcess(home, service.url);
  expect(new URL(await login.address()).searchParams.get('scope')).toContain('notes:write');
  expect(await login.visit()).toMatchObject({ code: 0 });
  await expect
    .poll(async () => (await bridge.callTool('search_notes', { query: 'x' })).error, { timeout: 8000 })
    .toBeUndefined();
});

describe('AU6 mcp-bridge logout', () => {
  test('ends the sign-in at the server, removes it, and says both', async () => {
    const { service, authorization } = await useProtectedService();
    const home = useHome();
    await new LoginProcess(home, service.url).visit();
    const outcome = await runCli(home, ['logout', service.url]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toContain('removed from this machine, and ended at the service');
    expect(authorization.counts.revocations).toBe(1);
    expect(readdirSync(join(home, 'state/secrets'))).toEqual([]);
    expect(readdirSync(join(home, 'state/sign-ins')).filter((name) => name.endsWith('.json'))).toEqual([]);
    const bridge = await useBridge(service.url, { home });
    await bridge.initialize();
    expect(expectBridgeError(await bridge.callTool('search_notes', { query: 'x' }))).toBe(
      'ERR_AUTH_REQUIRED',
    );
    const again = await runCli(home, ['logout', service.url]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to end') });
  });

  test('removes it also where the server is away, and says that it may stay good there', async () => {
    const { service, authorization } = await useProtectedService();
    const home = useHome();
    await new LoginProcess(home, service.url).visit();
    await authorization.goAway();
    const outcome = await runCli(home, ['logout', service.url]);
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('could not be ended') });
    expect(readdirSync(join(home, 'state/secrets'))).toEqual([]);
  });
});

async function tokenFrom(signIn: OAuthSignIn, issuer: string, resource: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: signIn.refreshToken ?? '',
      client_id: signIn.clientId,
      resource,
    }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}
