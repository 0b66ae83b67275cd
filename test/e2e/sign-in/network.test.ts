// Sign-in on a company's network: the service and its authorization server behind a proxy, an authority of the company's own and
// client certificates.
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { fetchFor } from '../../../src/platform/network/fetch.ts';
import { Authority, pem } from '../../support/certificates.ts';
import { runCli } from '../../support/cli-process.ts';
import { useProxy, type ConnectProxy } from '../../support/connect-proxy.ts';
import { useDaemonHome } from '../../support/daemon-home.ts';
import { textBelow } from '../../support/files.ts';
import { LoginProcess, TO_FILE } from '../../support/login-process.ts';
import { needsTools } from '../../support/needs.ts';
import { useProtectedService, type ProtectedService } from '../../support/protected-service.ts';
import { TlsFront } from '../../support/tls-front.ts';
import { useBridge } from '../../support/use.ts';

const company = new Authority('Company CA');
const service = company.sign('service', 'DNS:service.example');
const server = company.sign('sign-in', 'DNS:sign-in.example');
const client = company.sign('jane', 'DNS:jane');
const PASSWORD = 'zq-proxy-8e2';
const URL_BEHIND = 'https://service.example/mcp';

beforeEach((context) => needsTools(context, 'openssl'));

interface Company extends ProtectedService {
  readonly proxy: ConnectProxy;
  /** What its machines have set. */
  readonly env: Record<string, string>;
}

/** @param wantsCertificate whether both want one of the client */
async function useCompany(wantsCertificate = false): Promise<Company> {
  const origins = { service: 'https://service.example', issuer: 'https://sign-in.example' };
  const options = { issuer: origins.issuer, accessTokenSeconds: 3 };
  const world = await useProtectedService(options, { origin: origins.service });
  const strict = wantsCertificate
    ? { requestCert: true, rejectUnauthorized: true, ca: readFileSync(company.caFile) }
    : {};
  const fronts = [
    await TlsFront.start(new URL(world.service.url).origin, { ...pem(service), ...strict }),
    await TlsFront.start(`http://127.0.0.1:${world.authorization.port}`, { ...pem(server), ...strict }),
  ] as const;
  onTestFinished(async () => void (await Promise.all(fronts.map((front) => front.close()))));
  const routes = {
    'service.example:443': `127.0.0.1:${fronts[0].port}`,
    'sign-in.example:443': `127.0.0.1:${fronts[1].port}`,
  };
  const proxy = await useProxy({ routes, credentials: `jane:${PASSWORD}` });
  const env = {
    HTTPS_PROXY: proxy.originWith(`jane:${PASSWORD}`),
    NODE_EXTRA_CA_CERTS: company.caFile,
    ...(wantsCertificate && { MCP_BRIDGE_CLIENT_CERT: client.cert, MCP_BRIDGE_CLIENT_KEY: client.key }),
  };
  return { ...world, proxy, env };
}

/** The browser of a person there, who has set the same. */
function browserOf({ proxy }: Company): ReturnType<typeof fetchFor> {
  const credentials = { clientCert: client.cert, clientKey: client.key };
  const httpsProxy = proxy.originWith(`jane:${PASSWORD}`);
  return fetchFor({ noProxy: '', caFiles: [company.caFile], httpsProxy, ...credentials }, 5000);
}

describe.each(['off', 'on'])('CF4 AU1 AU4 with MCP_BRIDGE_DAEMON=%s', (daemon) => {
  test.each([
    ['a proxy and an authority', false],
    ['a proxy, an authority and client certificates', true],
  ])('signs in, works and renews through %s', async (_what, wantsCertificate) => {
    const world = await useCompany(wantsCertificate);
    const { proxy, env, authorization } = world;
    const home = useDaemonHome();
    const outcome = await new LoginProcess(home.path, URL_BEHIND, TO_FILE, env).visit({}, browserOf(world));
    expect(outcome).toMatchObject({
      code: 0,
      stderr: '',
      page: expect.stringContaining('You are signed in'),
    });
    expect(new Set(proxy.asked)).toEqual(new Set(['service.example:443', 'sign-in.example:443']));

    const bridge = await useBridge(URL_BEHIND, home.launch({ env: { ...env, MCP_BRIDGE_DAEMON: daemon } }));
    await bridge.initialize();
    const call = async (): Promise<unknown> =>
      (await bridge.callTool('search_notes', { query: 'x' }, { timeoutMs: 15_000 })).error;
    expect(await call()).toBeUndefined();
    const before = authorization.counts.refreshes;
    await expect
      .poll(async () => [await call(), authorization.counts.refreshes > before], { timeout: 10_000 })
      .toEqual([undefined, true]);
    await bridge.close();
    expect(textBelow(home.path)).not.toContain(PASSWORD);
    const signedOut = await runCli(home.path, ['logout', URL_BEHIND], env);
    expect(signedOut).toMatchObject({ code: 0, stdout: expect.stringContaining('ended at the service') });
  });
});

const UNREACHABLE = 'ERR_AUTH_UNREACHABLE';

describe('CF4 AU1 says so where', () => {
  const login = (home: string, env: Record<string, string>) =>
    runCli(home, ['login', URL_BEHIND, ...TO_FILE], env);

  test('the authority is not known, and how to name it', async () => {
    const { env } = await useCompany();
    const outcome = await login(useDaemonHome().path, { ...env, NODE_EXTRA_CA_CERTS: '' });
    expect(outcome).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(UNREACHABLE) });
    expect(outcome.stderr).toMatch(
      /service\.example cannot be reached \((SELF_SIGNED|UNABLE_TO)\w+\)\. .*caFile/,
    );
  });

  test('the proxy wants another password', async () => {
    const { env, proxy } = await useCompany();
    const HTTPS_PROXY = proxy.originWith('jane:wrong-one');
    const outcome = await login(useDaemonHome().path, { ...env, HTTPS_PROXY });
    expect(outcome).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(UNREACHABLE) });
    expect(outcome.stderr).toContain(`The proxy ${proxy.origin} does not take the user name and password`);
    expect(outcome.stderr).not.toContain('wrong-one');
  });

  test('no certificate is shown', async () => {
    const { env } = await useCompany(true);
    const none = { MCP_BRIDGE_CLIENT_CERT: '', MCP_BRIDGE_CLIENT_KEY: '' };
    const outcome = await login(useDaemonHome().path, { ...env, ...none });
    expect(outcome).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(UNREACHABLE) });
    expect(outcome.stderr).toMatch(/service\.example cannot be reached \(ERR_SSL_\w*CERTIFICATE_REQUIRED\)/);
  });
});
