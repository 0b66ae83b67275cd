// Sign-in as the running bridge lives with it: a real authorization server, a protected service, and tokens that end.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuthorizationServerOptions } from '../../../demo/authorization-server.ts';
import type { BridgeProcess, LaunchOptions } from '../../support/bridge-process.ts';
import { runCli } from '../../support/cli-process.ts';
import { useDaemonHome, type DaemonHome } from '../../support/daemon-home.ts';
import { useProtectedService, type ProtectedService } from '../../support/protected-service.ts';
import { keepSignIn, signInto, signOutOf } from '../../support/signed-in.ts';
import type { RpcMessage } from '../../support/scripted/messages.ts';
import { expectBridgeError, useBridge } from '../../support/use.ts';
import { fairMs } from '../../support/fair-time.ts';

const CALL = { timeoutMs: 15_000 };

interface Place {
  readonly home: string;
  readonly launch: LaunchOptions;
  readonly daemon?: DaemonHome;
}

function useHome(): Place {
  const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-test-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return { home, launch: { home } };
}

function useDaemon(): Place {
  const daemon = useDaemonHome();
  return { home: daemon.path, launch: daemon.launch(), daemon };
}

const places: readonly (readonly [string, () => Place])[] = [
  ["in the client's process", useHome],
  ['in the background process', useDaemon],
];

function listNotes(bridge: BridgeProcess): Promise<RpcMessage> {
  return bridge.callTool('search_notes', { query: 'x' }, CALL);
}

/** Somebody is signed in, and the bridge has a session and a token; `refreshes` is what getting there took. */
async function useSignedIn(
  { home, launch }: Place,
  options?: AuthorizationServerOptions,
): Promise<ProtectedService & { bridge: BridgeProcess; refreshes: number }> {
  const made = await useProtectedService(options);
  await signInto(home, made.service.url);
  const bridge = await useBridge(made.service.url, launch);
  await bridge.initialize();
  await listNotes(bridge);
  return { ...made, bridge, refreshes: made.authorization.counts.refreshes };
}

/** Calls again and again until one is answered. */
async function untilAnswered(bridge: BridgeProcess, limitMs = 8000): Promise<void> {
  const from = performance.now();
  for (;;) {
    const reply = await listNotes(bridge);
    if (reply.error === undefined) return;
    if (fairMs(from) > limitMs) throw new Error(`Still: ${JSON.stringify(reply.error)}`);
    await pause(100);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(places)('AU4 %s', (_where, place) => {
  test('a token that the service refuses before its time is renewed once, and the call goes on', async () => {
    const { bridge, service, authorization, check, refreshes } = await useSignedIn(place());
    check.refusing = 1;
    const note = { title: 'once', text: 'x', tags: [] };
    expect((await bridge.callTool('add_note', note, CALL)).error).toBeUndefined();
    expect(authorization.counts.refreshes).toBe(refreshes + 1);
    expect(service.counts.calls['add_note']).toBe(1);
  });

  test('a token that is revoked early under many calls is renewed once, and all of them go on', async () => {
    const { bridge, service, authorization, check, refreshes } = await useSignedIn(place());
    check.spurnSeen();
    const notes = Array.from({ length: 12 }, (_, n) => ({ title: `note ${n}`, text: 'x', tags: [] }));
    const replies = await Promise.all(
      notes.flatMap((note) => [bridge.callTool('add_note', note, CALL), listNotes(bridge)]),
    );
    expect(replies.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(authorization.counts.refreshes).toBe(refreshes + 1);
    expect(service.counts.calls['add_note']).toBe(12);
  });

  test('AU7 nobody is signed in: says so in each call, keeps quiet, and takes up a sign-in by itself', async () => {
    const { service, check } = await useProtectedService();
    const { home, launch } = place();
    const bridge = await useBridge(service.url, launch);
    await bridge.initialize();
    const reply = await listNotes(bridge);
    expect(expectBridgeError(reply)).toBe('ERR_AUTH_REQUIRED');
    expect(reply.error!.message).toContain(`mcp-bridge login ${service.url}`);
    const { refused } = check;
    for (let n = 0; n < 5; n += 1)
      expect(expectBridgeError(await listNotes(bridge))).toBe('ERR_AUTH_REQUIRED');
    // Nobody is asked again before something has changed.
    expect(check.refused).toBe(refused);

    await signInto(home, service.url);
    const signedInAt = performance.now();
    await untilAnswered(bridge);
    expect(fairMs(signedInAt)).toBeLessThan(2500);
  });

  test('AU7 a grant that was revoked: the tools stay listed, calls say what to do, and the next sign-in heals it', async () => {
    const { service, authorization } = await useProtectedService({ accessTokenSeconds: 3 });
    const { home, launch } = place();
    await signInto(home, service.url);
    const bridge = await useBridge(service.url, launch);
    await bridge.initialize();
    const listed = await bridge.request('tools/list');
    authorization.revokeAll();
    const until = performance.now() + 8000;
    let reply = await listNotes(bridge);
    while (reply.error === undefined && performance.now() < until) {
      await pause(100);
      reply = await listNotes(bridge);
    }
    expect(expectBridgeError(reply)).toBe('ERR_AUTH_REQUIRED');
    expect(reply.error!.message).toContain('refuses to renew it');
    expect(reply.error!.message).toContain('mcp-bridge login');
    const again = await bridge.request('tools/list');
    expect(again.result).toEqual(listed.result);
    const { refusedRefreshes } = authorization.counts;
    expect(refusedRefreshes).toBe(1);
    await listNotes(bridge);
    await pause(1500);
    expect(authorization.counts.refusedRefreshes).toBe(refusedRefreshes);

    await signInto(home, service.url);
    await untilAnswered(bridge);
  });

  test('AU7 signing out ends it at once', async () => {
    const { service } = await useProtectedService();
    const { home, launch } = place();
    await signInto(home, service.url);
    const bridge = await useBridge(service.url, launch);
    await bridge.initialize();
    expect((await listNotes(bridge)).error).toBeUndefined();
    await signOutOf(home, service.url);
    await pause(1500);
    expect(expectBridgeError(await listNotes(bridge))).toBe('ERR_AUTH_REQUIRED');
  });

  test('AU5 a stored token goes with each request, and one that is refused is said so', async () => {
    const { service, authorization, check } = await useProtectedService({ accessTokenSeconds: 60 });
    const { home, launch } = place();
    const made = await signInto(home, service.url);
    expect(made.kind).toBe('oauth');
    await keepSignIn(home, service.url, { kind: 'token', token: 'not-a-good-one' });
    const bridge = await useBridge(service.url, launch);
    await bridge.initialize();
    const reply = await listNotes(bridge);
    expect(expectBridgeError(reply)).toBe('ERR_AUTH_REQUIRED');
    expect(reply.error!.message).toContain('refuses the stored token');
    expect(check.passed).toBe(0);
    expect(authorization.counts.refreshes).toBe(0);
  });
});

// These wait for much of their time, and the place makes no difference: endurance.test.ts has the other one.
describe.each(places.slice(1))('AU4 %s, in the course of time', (_where, place) => {
  test('uses what is signed in, and renews it ahead of time: no request is refused', async () => {
    const { service, authorization, check } = await useProtectedService({ accessTokenSeconds: 6 });
    const { home, launch } = place();
    await signInto(home, service.url);
    const bridge = await useBridge(service.url, launch);
    await bridge.initialize();
    const until = performance.now() + 10_000;
    while (performance.now() < until) {
      expect((await listNotes(bridge)).error).toBeUndefined();
      await pause(50);
    }
    expect(authorization.counts.refreshes).toBeGreaterThanOrEqual(2);
    expect(authorization.counts.refreshes).toBeLessThanOrEqual(4);
    expect(authorization.counts.refusedRefreshes).toBe(0);
    // One was the test's own look for the challenge.
    expect(check.refused).toBeLessThanOrEqual(1);
  });

  test('a service that refuses every token is not asked for ever, nor is the authorization server', async () => {
    const { service, authorization, check } = await useProtectedService();
    const { home, launch } = place();
    await signInto(home, service.url);
    const bridge = await useBridge(service.url, { ...launch, args: ['--outage-patience-ms', '300'] });
    await bridge.initialize();
    await listNotes(bridge);
    const { refreshes } = authorization.counts;
    check.refusing = Infinity;
    const codes = new Set<string>();
    for (let n = 0; n < 20; n += 1) codes.add(expectBridgeError(await listNotes(bridge)));
    expect([...codes]).toEqual(['ERR_AUTH_REQUIRED']);
    expect(authorization.counts.refreshes - refreshes).toBeLessThanOrEqual(2);
    check.refusing = 0;
    await untilAnswered(bridge, 20_000);
  });

  test('an authorization server that is away costs nothing while the token is valid, and heals after', async () => {
    const { bridge, authorization } = await useSignedIn(place(), { accessTokenSeconds: 6 });
    await authorization.goAway();
    const validUntil = performance.now() + 3500;
    while (performance.now() < validUntil) {
      expect((await listNotes(bridge)).error).toBeUndefined();
      await pause(50);
    }
    await pause(3000);
    const waiting = listNotes(bridge);
    await pause(500);
    await authorization.comeBack();
    expect((await waiting).error).toBeUndefined();
    expect(authorization.counts.refusedRefreshes).toBe(0);
  });
});

test('ST1 the status tells of the sign-in', async () => {
  const { service } = await useProtectedService();
  const home = useDaemonHome();
  const bridge = await useBridge(service.url, home.launch());
  await bridge.initialize();
  const profile = async (): Promise<unknown> => {
    const status = JSON.parse((await home.ask('/status')).body) as { profiles: unknown[] };
    return status.profiles[0];
  };
  // Waits for a person: no time is set for another try.
  await expect.poll(profile).toMatchObject({
    health: 'degraded',
    state: 'TRANSIENT_FAILURE',
    nextTryAt: null,
    signIn: { state: 'needed', expiresAt: null },
    advice: expect.stringContaining('mcp-bridge login'),
  });
  const shown = await runCli(home.path, ['status']);
  expect(shown).toMatchObject({ code: 1, stderr: '' });
  expect(shown.stdout).toMatch(/what to do +Run `mcp-bridge login/);
  expect(shown.stdout).toMatch(/sign-in +needed/);
  expect(shown.stdout).not.toContain('Next try');

  await signInto(home.path, service.url);
  await expect.poll(profile, { timeout: 5000 }).toMatchObject({
    health: 'healthy',
    state: 'READY',
    signIn: { state: 'signed-in', expiresAt: expect.stringMatching(/^\d{4}-/) },
  });
  const later = await runCli(home.path, ['status']);
  expect(later).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/sign-in +signed in; the present token lasts another \d/),
  });

  await signOutOf(home.path, service.url);
  await expect
    .poll(profile, { timeout: 5000 })
    .toMatchObject({ health: 'degraded', signIn: { state: 'needed' } });
});
