// `mcp-bridge doctor`, through the real program, against services that are ill in one place each.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Examination, StepResult } from '../../../src/cli/doctor/step.ts';
import { STEPS } from '../../../src/cli/doctor/step.ts';
import { runCli, useHome } from '../../support/cli-process.ts';
import { busy, sessionNotFound, unauthorized } from '../../support/scripted-service.ts';
import { useProtectedService } from '../../support/protected-service.ts';
import { signInto } from '../../support/signed-in.ts';
import { needsTools } from '../../support/needs.ts';
import { TlsFront } from '../../support/tls-front.ts';
import { useService } from '../../support/use.ts';

interface Found {
  readonly code: number | null;
  readonly steps: ReadonlyMap<string, StepResult>;
}

async function examine(target: string, env: Record<string, string> = {}, home = useHome()): Promise<Found> {
  const { code, stdout, stderr } = await runCli(home, ['doctor', target, '--json'], env);
  expect(stderr).toBe('');
  const [examination] = JSON.parse(stdout) as Examination[];
  const steps = new Map(examination!.steps.map((step) => [step.step, step]));
  // Each step once, in the order of the way, and timed.
  expect([...steps.keys()]).toEqual(STEPS);
  for (const { ms } of steps.values()) expect(ms).toBeGreaterThanOrEqual(0);
  return { code, steps };
}

const kinds = ({ steps }: Found): string[] => [...steps.values()].map(({ kind }) => kind);

/** The one step that fails, which says what to do. */
function expectFailure(found: Found, step: string, detail: RegExp, remedy: RegExp): void {
  expect(found.code).toBe(1);
  const failures = [...found.steps.values()].filter(({ kind }) => kind === 'failed');
  expect(failures).toEqual([
    expect.objectContaining({
      step,
      detail: expect.stringMatching(detail),
      remedy: expect.stringMatching(remedy),
    }),
  ]);
  const rest = STEPS.slice(STEPS.findIndex((each) => each === step) + 1, -1);
  for (const later of rest) expect([later, found.steps.get(later)?.kind]).toEqual([later, 'skipped']);
}

function useClaudeConfig(home: string, text: string): void {
  mkdirSync(join(home, 'Claude'), { recursive: true });
  writeFileSync(join(home, 'Claude', 'claude_desktop_config.json'), text);
}

describe('ST3 mcp-bridge doctor', () => {
  test('walks the whole way to a healthy service, and leaves no session behind', async () => {
    const service = await useService();
    const found = await examine(service.url);
    expect(found.code).toBe(0);
    expect(kinds(found)).toEqual(['ok', 'skipped', 'ok', 'skipped', 'ok', 'ok', 'ok', 'ok', 'warning']);
    expect(found.steps.get('handshake')?.detail).toBe('revision 2025-11-25 over streamable-http');
    expect(found.steps.get('session reuse')?.detail).toMatch(/one session carries them/);
    expect(found.steps.get('sign-in')?.detail).toBe('none needed');
    expect(service.record.handshakes).toBe(1);
    expect(service.sessionCount).toBe(0);
  });

  test('shows a person the same, with what to do', async () => {
    const service = await useService();
    const { code, stdout } = await runCli(useHome(), ['doctor', `${service.url}?key=s3cr3t`]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}ok {7}handshake {6}[\d. ]+ms {2}revision 2025-11-25/m);
    expect(stdout).toMatch(/^ {2}warning {2}client config .*\n(.*\n)* +→ If you use Claude Desktop/m);
    expect(stdout).not.toContain('s3cr3t');
  });

  test('a service of the oldest revision, and one without sessions, are well', async () => {
    const legacy = await useService({ legacyPath: '/sse' });
    expect((await examine(legacy.url)).steps.get('handshake')?.detail).toMatch(/sse/i);
    const stateless = await useService({ sessions: false });
    const found = await examine(stateless.url);
    expect(found.steps.get('session reuse')).toMatchObject({
      kind: 'ok',
      detail: expect.stringMatching(/keeps no sessions/),
    });
  });

  test('config: a profile that does not exist', async () => {
    expectFailure(await examine('wrok'), 'config', /no profile "wrok"/, /docs\/configuration\.md/);
  });

  test('config: a file that is broken', async () => {
    const home = useHome();
    writeFileSync(join(home, 'config.json'), '{"profiles":\n}');
    expectFailure(await examine('work', {}, home), 'config', /line 2 column 1/, /Correct it/);
  });

  test('DNS: a name that does not exist', async () => {
    expectFailure(
      await examine('https://no-such-host.invalid/mcp'),
      'DNS',
      /no-such-host\.invalid/,
      /online/,
    );
  });

  test('TCP: nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    expectFailure(await examine(`http://127.0.0.1:${port}/mcp`), 'TCP', /ECONNREFUSED/, /service is up/);
  });

  test('TLS: a certificate that nobody trusts, and one that is trusted', async (context) => {
    needsTools(context, 'openssl');
    const service = await useService();
    const front = await TlsFront.start(service.origin);
    onTestFinished(() => front.close());
    const url = `${front.origin}/mcp`;
    expectFailure(await examine(url), 'TLS', /SELF_SIGNED/, /NODE_EXTRA_CA_CERTS/);
    const trusted = await examine(url, { NODE_EXTRA_CA_CERTS: TlsFront.certificate() });
    expect(trusted.steps.get('TLS')?.detail).toMatch(/^TLSv1\.3, certificate by/);
    expect(trusted.steps.get('sign-in')?.kind).toBe('ok');
  });

  test('HTTP: something else listens', async () => {
    const server = createServer((socket) => void socket.on('error', () => {}).end('220 smtp\r\n'));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    expectFailure(
      await examine(`http://127.0.0.1:${port}/mcp`),
      'HTTP',
      /no answer over HTTP/,
      /check the port/,
    );
  });

  test('HTTP: the service is in trouble', async () => {
    const service = await useService();
    service.always({}, busy(503));
    expectFailure(await examine(service.url), 'HTTP', /HTTP 503/, /in trouble/);
  });

  test('handshake: there is no MCP service at this path', async () => {
    const service = await useService();
    expectFailure(
      await examine(`${service.origin}/wrong`),
      'handshake',
      /ERR_UPSTREAM_HTTP_STATUS.*404/,
      /URL/,
    );
  });

  test('sign-in: needed, with and without a token', async () => {
    const service = await useService();
    service.always({}, unauthorized);
    const found = await examine(service.url);
    expect(found.code).toBe(1);
    expect(found.steps.get('handshake')?.detail).toMatch(/^ERR_AUTH_REQUIRED/);
    expect(found.steps.get('sign-in')).toMatchObject({
      kind: 'failed',
      detail: 'needed: the service wants a sign-in, and it is given no token',
    });
    const home = useHome();
    const headers = { Authorization: 'env:TOKEN' };
    writeFileSync(
      join(home, 'config.json'),
      JSON.stringify({ profiles: { work: { url: service.url, headers } } }),
    );
    const given = await examine('work', { TOKEN: 'Bearer s3cr3t' }, home);
    expect(given.steps.get('sign-in')?.detail).toMatch(/does not take the token/);
  });

  test('session reuse: a service whose sessions do not last', async () => {
    const service = await useService();
    service.always({ rpc: 'ping' }, sessionNotFound);
    const found = await examine(service.url);
    expect(found.code).toBe(1);
    expect(found.steps.get('session reuse')).toMatchObject({
      kind: 'failed',
      detail: expect.stringMatching(/^ERR_SESSION_LOST/),
    });
    expect(found.steps.get('sign-in')?.kind).toBe('ok');
  });

  test('client config: says whether Claude Desktop launches this service', async () => {
    const service = await useService();
    const home = useHome();
    const config = (args: string[]): string =>
      JSON.stringify({ mcpServers: { work: { command: 'mcp-bridge', args } } });
    const look = async (): Promise<StepResult | undefined> =>
      (await examine(service.url, {}, home)).steps.get('client config');
    useClaudeConfig(home, config(['run', service.url]));
    expect(await look()).toMatchObject({ kind: 'ok', detail: expect.stringContaining('"work"') });
    useClaudeConfig(home, config(['run', 'https://other.example/mcp']));
    expect(await look()).toMatchObject({
      kind: 'warning',
      detail: expect.stringContaining('another service'),
    });
    useClaudeConfig(home, '{"mcpServers":{"x":{"command":"node"}}}');
    expect(await look()).toMatchObject({
      kind: 'warning',
      detail: expect.stringContaining('does not mention'),
    });
    const gone = { command: '/gone/node', args: ['/gone/mcp-bridge.js', 'run', service.url] };
    useClaudeConfig(home, JSON.stringify({ mcpServers: { work: gone } }));
    expect(await look()).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('/gone/node, which is not there'),
    });
    useClaudeConfig(home, '\uFEFF{}');
    expect(await look()).toMatchObject({ kind: 'warning' });
    useClaudeConfig(home, '{,}');
    expect(await look()).toMatchObject({ kind: 'failed', detail: expect.stringContaining('not valid JSON') });
  });

  test('without a target, every profile is looked at', async () => {
    const service = await useService();
    const home = useHome();
    const profiles = { one: { url: service.url }, two: { url: `${service.origin}/wrong` } };
    writeFileSync(join(home, 'config.json'), JSON.stringify({ profiles }));
    const { code, stdout } = await runCli(home, ['doctor', '--json']);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as Examination[]).map(({ target }) => target)).toEqual(['one', 'two']);
  });

  test('refuses to repair and to tell a program at once', async () => {
    const { code, stderr } = await runCli(useHome(), ['doctor', '--json', '--repair']);
    expect(code).toBe(2);
    expect(stderr).toContain('--json only tells');
  });

  test('AU1 sign-in: says how to sign in, and goes with what was signed in', async () => {
    const { service, check } = await useProtectedService();
    const home = useHome();
    const before = await examine(service.url, {}, home);
    expect(before.steps.get('sign-in')).toMatchObject({
      kind: 'failed',
      remedy: expect.stringContaining(`mcp-bridge login ${service.url}`),
    });
    await signInto(home, service.url);
    const refusedBefore = check.refused;
    const after = await examine(service.url, {}, home);
    expect(after.steps.get('handshake')?.kind).toBe('ok');
    expect(after.steps.get('sign-in')).toMatchObject({
      kind: 'ok',
      detail: 'signed in, and the service takes it',
    });
    // The look for HTTP goes without.
    expect(check.refused - refusedBefore).toBeLessThanOrEqual(1);
    // What the renewal brought was kept: the next one finds it.
    expect((await examine(service.url, {}, home)).steps.get('sign-in')?.kind).toBe('ok');
  });
});
