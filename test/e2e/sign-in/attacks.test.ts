// A service that means harm, and a bridge that is signed in: the token stays with the service that it is for.
import { expect, test } from 'vitest';
import { BrowserStub } from '../../support/browser-stub.ts';
import { CliProcess, useHome } from '../../support/cli-process.ts';
import { useHttpServer } from '../../support/http-server.ts';
import { useProtectedService } from '../../support/protected-service.ts';
import { keepSignIn } from '../../support/signed-in.ts';
import { expectBridgeError, useBridge } from '../../support/use.ts';

const TOKEN = 'zq-access-token-4c1';

test.each([301, 302, 303, 307, 308])(
  'SC1 AU4 a redirect (%d) of a request with a token to another origin is not followed',
  async (status) => {
    const other = await useHttpServer((_request, response) => response.writeHead(200).end('{}'));
    const service = await useHttpServer((_request, response) =>
      response.writeHead(status, { location: `${other.origin}/mcp` }).end(),
    );
    const home = useHome();
    const url = `${service.origin}/mcp`;
    await keepSignIn(home, url, { kind: 'token', token: TOKEN });
    const bridge = await useBridge(url, { home, args: ['--initialize-timeout-ms', '1500'] });
    await bridge.initialize();
    expect(service.requests[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(other.requests).toEqual([]);
    expect(bridge.log).not.toContain(TOKEN);
  },
);

test('SC4 AU4 a WWW-Authenticate of 1 MB ends in an error, and a later answer is taken', async () => {
  let isHostile = true;
  const service = await useHttpServer((_request, response) => {
    const bomb = isHostile ? 'Bearer x="y", '.repeat(70_000) : 'Bearer';
    response.writeHead(401, { 'www-authenticate': bomb }).end();
  });
  const args = ['--initialize-timeout-ms', '1500', '--outage-patience-ms', '300'];
  const bridge = await useBridge(`${service.origin}/mcp`, { args });
  await bridge.initialize();
  const call = async (): Promise<string> =>
    expectBridgeError(await bridge.callTool('x', {}, { timeoutMs: 15_000 }));
  expect(await call()).toMatch(/^ERR_UPSTREAM_/);
  isHostile = false;
  await expect.poll(call, { timeout: 15_000 }).toBe('ERR_AUTH_REQUIRED');
});

test('SC2 AU1 an address with all that a shell knows is opened as one address, and no shell sees it', async () => {
  const { service, authorization } = await useProtectedService();
  const nasty = `${authorization.issuer}/auth?a=$(touch%20/tmp/x)\`id\`;reboot|cat&b='q'"&c=%0aecho`;
  authorization.intercept = (request, response) => {
    if (request.url?.includes('/.well-known/') !== true) return false;
    const at = (path: string): string => `${authorization.issuer}${path}`;
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        issuer: authorization.issuer,
        authorization_endpoint: nasty,
        token_endpoint: at('/token'),
        registration_endpoint: at('/reg'),
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      }),
    );
    return true;
  };
  const browser = new BrowserStub();
  const login = new CliProcess(useHome(), ['login', service.url, '--insecure-storage'], browser.env);
  const opened = await browser.next();
  login.kill('SIGINT');
  await login.end();
  expect(browser.opened).toEqual([opened]);
  expect(opened).not.toMatch(/[\s$`;|<>"'\\(){}^!*]/);
  expect(new URL(opened).searchParams.get('a')).toBe('$(touch /tmp/x)`id`;reboot|cat');
});
