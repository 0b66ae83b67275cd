// The real program on a company's network: with the daemon and without, each launch with the environment of its own client.
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { useProxy, type ConnectProxy } from '../support/connect-proxy.ts';
import { runCli, useHome } from '../support/cli-process.ts';
import { Authority, pem } from '../support/certificates.ts';
import { useDaemonHome } from '../support/daemon-home.ts';
import { textBelow } from '../support/files.ts';
import { needsTools } from '../support/needs.ts';
import type { ScriptedService } from '../support/scripted-service.ts';
import { TlsFront } from '../support/tls-front.ts';
import { expectBridgeError, useBridge, useService } from '../support/use.ts';

const company = new Authority('Company CA');
const identity = company.sign('service', 'DNS:service.example,IP:127.0.0.1');
const PASSWORD = 'zq-proxy-9f1';
const URL_BEHIND = 'https://service.example/mcp';

beforeEach((context) => needsTools(context, 'openssl'));

interface Company {
  readonly service: ScriptedService;
  readonly front: TlsFront;
  readonly proxy: ConnectProxy;
  /** What its machines have set. */
  readonly env: Record<string, string>;
}

/** A service that is reached through the proxy alone, and shows a certificate of the company's. */
async function useCompany(): Promise<Company> {
  const service = await useService();
  const front = await TlsFront.start(service.origin, pem(identity));
  onTestFinished(() => front.close());
  const routes = { 'service.example:443': `127.0.0.1:${front.port}` };
  const proxy = await useProxy({ routes, credentials: `jane:${PASSWORD}` });
  const env = { HTTPS_PROXY: proxy.originWith(`jane:${PASSWORD}`), NODE_EXTRA_CA_CERTS: company.caFile };
  return { service, front, proxy, env };
}

describe.each(['off', 'on'])('CF4 with MCP_BRIDGE_DAEMON=%s', (daemon) => {
  test('everything goes through the proxy, and its password is written nowhere', async () => {
    const { service, proxy, env } = await useCompany();
    const home = useDaemonHome();
    const launch = home.launch({
      env: { ...env, MCP_BRIDGE_DAEMON: daemon, MCP_BRIDGE_LOG_LEVEL: 'debug' },
    });
    const bridge = await useBridge(URL_BEHIND, launch);
    await bridge.initialize();
    bridge.send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: {} } });
    expect(await bridge.reply(7)).toHaveProperty('result');
    expect(service.record.handshakes).toBe(1);
    expect(new Set(proxy.asked)).toEqual(new Set(['service.example:443']));
    expect(service.record.requests.some(({ headers }) => 'proxy-authorization' in headers)).toBe(false);
    const told = daemon === 'on' ? (await home.ask('/status')).body : '';
    await bridge.close();
    expect(`${bridge.stderr}${told}${textBelow(home.path)}`).not.toContain(PASSWORD);
  });

  test('a wrong password is reported to the client at once, and asked again only seldom', async () => {
    const { proxy, env } = await useCompany();
    const home = useDaemonHome();
    const HTTPS_PROXY = proxy.originWith('jane:wr0ng');
    const bridge = await useBridge(
      URL_BEHIND,
      home.launch({ env: { ...env, HTTPS_PROXY, MCP_BRIDGE_DAEMON: daemon } }),
    );
    await bridge.initialize();
    bridge.send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: {} } });
    const reply = await bridge.reply(7);
    expect(expectBridgeError(reply)).toBe('ERR_PROXY_AUTH');
    expect(reply.error!.message).toContain(proxy.origin);
    expect(proxy.asked.length).toBeLessThanOrEqual(2);
    await bridge.close();
    expect(JSON.stringify(bridge.messages) + bridge.stderr + textBelow(home.path)).not.toContain('wr0ng');
  });

  test('settings do the same: proxy, caFile, clientCert and clientKey', async () => {
    const service = await useService();
    const strict = {
      ...pem(identity),
      requestCert: true,
      rejectUnauthorized: true,
      ca: readFileSync(company.caFile),
    };
    const front = await TlsFront.start(service.origin, strict);
    onTestFinished(() => front.close());
    const proxy = await useProxy({ routes: { 'service.example:443': `127.0.0.1:${front.port}` } });
    const client = company.sign('jane', 'DNS:jane');
    const home = useDaemonHome();
    const flags = ['--proxy', proxy.origin, '--ca-file', company.caFile];
    const launch = (args: string[]) => home.launch({ args, env: { MCP_BRIDGE_DAEMON: daemon } });
    const without = await useBridge(URL_BEHIND, launch(flags));
    await without.initialize();
    without.send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: {} } });
    expect(expectBridgeError(await without.reply(7))).toBe('ERR_UPSTREAM_CLIENT_CERT');
    const args = [...flags, '--client-cert', client.cert, '--client-key', client.key];
    const bridge = await useBridge(URL_BEHIND, launch(args));
    await bridge.initialize();
    expect(service.record.handshakes).toBe(1);
  });
});

test('CF4 DM2 a daemon reaches the service for each client as that one has it set, and lets none use the way of another', async () => {
  const { service, proxy, env, front } = await useCompany();
  const home = useDaemonHome();
  // The first has started the daemon, and knows nothing of the company.
  const outside = await useBridge(
    `${front.origin}/mcp`,
    home.launch({ args: ['--outage-patience-ms', '300', '--initialize-timeout-ms', '500'] }),
  );
  await outside.initialize();
  outside.send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: {} } });
  expect(expectBridgeError(await outside.reply(7))).toMatch(/ERR_UPSTREAM_TLS/);
  const inside = await useBridge(`${front.origin}/mcp`, home.launch({ env }));
  await inside.initialize();
  expect(service.record.handshakes).toBe(1);
  const behind = await useBridge(URL_BEHIND, home.launch({ env }));
  await behind.initialize();
  expect([service.record.handshakes, proxy.asked.length > 0]).toEqual([2, true]);
  expect(home.pids()).toHaveLength(1);
});

test('CF4 an authority that the operating system trusts is trusted without being named', async () => {
  const { service, front } = await useCompany();
  // Where OpenSSL looks for the system's store, in place of one that a test may not write to.
  const bridge = await useBridge(`${front.origin}/mcp`, { env: { SSL_CERT_FILE: company.caFile } });
  await bridge.initialize();
  expect(service.record.handshakes).toBe(1);
});

describe('CF4 ST3 doctor', () => {
  test('goes through the proxy, and says which', async () => {
    const { proxy, env } = await useCompany();
    const { code, stdout } = await runCli(useHome(), ['doctor', URL_BEHIND], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`config .*through\\s+the\\s+proxy\\s+${proxy.origin}`));
    expect(stdout).toMatch(/TCP .*the proxy 127\.0\.0\.1/);
    expect(stdout).toMatch(/TLS .*certificate by Company CA/);
    expect(stdout).not.toContain(PASSWORD);
  });

  test('names the proxy that wants a password', async () => {
    const { proxy, env } = await useCompany();
    const { code, stdout } = await runCli(useHome(), ['doctor', URL_BEHIND, '--json'], {
      ...env,
      HTTPS_PROXY: proxy.origin,
    });
    expect(code).toBe(1);
    const [{ steps }] = JSON.parse(stdout) as [{ steps: { step: string; kind: string; detail: string }[] }];
    const failures = steps.filter(({ kind }) => kind === 'failed');
    expect(failures).toMatchObject([{ step: 'TLS', detail: expect.stringMatching(/^ERR_PROXY_AUTH: /) }]);
  });

  test('says so where NO_PROXY spares the service', async () => {
    const { env } = await useCompany();
    const { stdout } = await runCli(useHome(), ['doctor', URL_BEHIND], { ...env, NO_PROXY: 'example' });
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('no proxy, for NO_PROXY is "example"');
  });
});
