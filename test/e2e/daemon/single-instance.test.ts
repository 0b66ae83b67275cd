// One daemon a user, whatever lies around and however many start at once.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { useDaemonHome } from '../../support/daemon-home.ts';
import { flood } from '../../support/flood.ts';
import { useBridge, useService } from '../../support/use.ts';

/** CI has two processors; fifty rounds are for a person who doubts. */
const ROUNDS = Number(process.env['MCP_BRIDGE_TEST_ROUNDS'] ?? 4);

test.each(Array.from({ length: ROUNDS }, (_, n) => n + 1))(
  'DM1 nine fronts started at once make one daemon (round %i)',
  { timeout: 40_000 },
  async () => {
    const service = await useService();
    const home = useDaemonHome();
    const fronts = await Promise.all(Array.from({ length: 9 }, () => useBridge(service, home.launch())));
    await Promise.all(fronts.map((front) => front.request('initialize', INITIALIZE, { timeoutMs: 20_000 })));
    await home.until(() => home.pids().length === 1);
    expect(await home.facts()).toMatchObject({ clients: 9, state: 'serving', faults: 0 });
    expect(fronts.map((front) => front.stderr).join('')).toBe('');
  },
);

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw-client', version: '1' },
};

test('DM1 DM3 the next front finds the daemon that the last one left behind', async () => {
  const service = await useService();
  const home = useDaemonHome();
  const first = await useBridge(service, home.launch());
  await first.initialize();
  const { pid } = await home.facts();
  expect(await first.close()).toMatchObject({ code: 0 });
  const second = await useBridge(service, home.launch());
  await second.initialize();
  expect(await home.facts()).toMatchObject({ pid, clients: 1 });
});

test('DM3 with lingerMs 0 the daemon ends with its last client', async () => {
  const service = await useService();
  const home = useDaemonHome();
  const bridge = await useBridge(service, home.launch({ args: ['--linger-ms', '0'] }));
  await bridge.initialize();
  expect(home.pids()).toHaveLength(1);
  await bridge.close();
  await home.until(() => home.pids().length === 0);
  expect(service.sessionCount).toBe(0);
});

test(
  'DM1 DM3 fronts that come as the daemon leaves are served by it or by the next',
  { timeout: 60_000 },
  async () => {
    const service = await useService();
    const home = useDaemonHome();
    const launch = home.launch({ args: ['--linger-ms', '0'] });
    let last = await useBridge(service, launch);
    await last.initialize();
    for (let round = 0; round < 8; round += 1) {
      const leaving = last.close();
      // Sooner and later than the daemon notices.
      await new Promise((resolve) => setTimeout(resolve, round * 6));
      last = await useBridge(service, launch);
      const { result } = await last.request('initialize', INITIALIZE, { timeoutMs: 10_000 });
      expect(result).toMatchObject({ serverInfo: { name: 'scripted-service' } });
      await leaving;
      expect(last.stderr).toBe('');
    }
    await home.until(() => home.pids().length === 1);
  },
);

test(
  'DM6 DM7 with a secret that somebody has replaced, a front bridges by itself, and those attached go on',
  { timeout: 30_000 },
  async () => {
    const service = await useService();
    const home = useDaemonHome();
    const first = await useBridge(service, home.launch());
    await first.initialize();
    writeFileSync(`${home.paths.runtimeDir}/daemon.secret`, 'f'.repeat(64));
    const second = await useBridge(service, home.launch());
    await second.request('initialize', INITIALIZE, { timeoutMs: 15_000 });
    expect(second.stderr).toContain('no background process answers');
    expect(second.stderr).not.toContain('Warning');
    expect((await first.callTool('echo', { value: 1 })).result).toBeDefined();
    expect(home.pids()).toHaveLength(1);
  },
);

test('DM6 a socket that a killed daemon left behind is replaced', async () => {
  const service = await useService();
  const home = useDaemonHome();
  await (await useBridge(service, home.launch())).initialize();
  home.kill('SIGKILL');
  const next = await useBridge(service, home.launch());
  await next.initialize();
  expect(next.stderr).toBe('');
  await home.until(() => home.pids().length === 1);
});

test('DM6 files of an earlier daemon whose process id is in use again keep nobody out', async () => {
  const service = await useService();
  const home = useDaemonHome();
  mkdirSync(home.paths.runtimeDir, { mode: 0o700 });
  writeFileSync(`${home.paths.runtimeDir}/daemon.lock`, '', { mode: 0o600 });
  // Anything but a secret.
  writeFileSync(`${home.paths.runtimeDir}/daemon.secret`, String(process.pid), { mode: 0o600 });
  const bridge = await useBridge(service, home.launch());
  await bridge.initialize();
  expect(bridge.stderr).toBe('');
  expect(await home.facts()).toMatchObject({ clients: 1 });
});

test('DM6 a home too deep for a socket path works all the same', async () => {
  const service = await useService();
  const base = useDaemonHome();
  const deep = useDaemonHome(`${base.path}/${'deep/'.repeat(25)}home`);
  mkdirSync(deep.path, { recursive: true });
  const bridge = await useBridge(service, deep.launch());
  await bridge.initialize();
  expect(dirname(deep.socket)).not.toBe(deep.paths.runtimeDir);
  expect(await deep.facts()).toMatchObject({ clients: 1 });
  expect(bridge.stderr).toBe('');
});

test('FB5 DM6 where a directory lies in the place of the socket, the front bridges by itself and says so', async () => {
  const service = await useService();
  const home = useDaemonHome();
  mkdirSync(`${home.socket}/full`, { recursive: true, mode: 0o700 });
  const bridge = await useBridge(service, home.launch());
  const { result } = await bridge.request('initialize', INITIALIZE, { timeoutMs: 8000 });
  expect(result).toMatchObject({ serverInfo: { name: 'scripted-service' } });
  expect(bridge.stderr).toContain('bridging in this process, because');
  expect(bridge.stderr).toContain('its socket cannot be opened');
  expect((await bridge.callTool('echo', { value: 'x' })).result).toBeDefined();
  expect(await bridge.close()).toMatchObject({ code: 0 });
  await service.until(() => service.sessionCount === 0);
});

test('FB5 DM6 where the home cannot be written, the front bridges by itself', async () => {
  const service = await useService();
  const home = useDaemonHome();
  // A file where the directory would be stops root as well.
  writeFileSync(home.paths.runtimeDir, '');
  const bridge = await useBridge(service, home.launch());
  await bridge.initialize();
  expect(bridge.stderr).toContain('its directory cannot be made or is not private');
});

test('FB5 BR10 SC4 a front that bridges by itself for a client that writes and does not read ends when told to', async () => {
  const service = await useService();
  const home = useDaemonHome();
  writeFileSync(home.paths.runtimeDir, '');
  const bridge = await useBridge(service, home.launch());
  await bridge.initialize();
  bridge.pauseReading();
  await flood(bridge);
  expect(await bridge.kill('SIGTERM')).toMatchObject({ code: 0 });
  await service.until(() => service.sessionCount === 0);
});

test('FB5 DM6 where the socket would lie below a file, the front bridges by itself', async () => {
  const service = await useService();
  const base = useDaemonHome();
  // Too deep for a socket, which is looked for among the temporary files.
  const deep = useDaemonHome(`${base.path}/${'deep/'.repeat(25)}home`);
  mkdirSync(deep.path, { recursive: true });
  const file = `${base.path}/file`;
  writeFileSync(file, '');
  const bridge = await useBridge(service, deep.launch({ env: { TMPDIR: `${file}/tmp` } }));
  await bridge.initialize();
  expect(bridge.stderr).toContain('bridging in this process, because');
  expect(bridge.stderr).toContain('its directory cannot be made or is not private');
  expect((await bridge.callTool('echo', { value: 1 })).result).toBeDefined();
});

test(
  'FB5 DM6 a daemon that hangs delays a launch by seconds, not for ever',
  { timeout: 30_000 },
  async () => {
    const service = await useService();
    const home = useDaemonHome();
    await (await useBridge(service, home.launch())).initialize();
    home.kill('SIGSTOP');
    const bridge = await useBridge(service, home.launch());
    await bridge.request('initialize', INITIALIZE, { timeoutMs: 10_000 });
    expect(bridge.stderr).toContain('no background process answers');
  },
);

test('DM7 what another user could have put in the place of the runtime directory is not used', async () => {
  const service = await useService();
  const home = useDaemonHome();
  mkdirSync(home.paths.runtimeDir, { mode: 0o777 });
  writeFileSync(`${home.paths.runtimeDir}/daemon.secret`, 'f'.repeat(64));
  let visits = 0;
  const trap = createServer(() => (visits += 1)).listen(home.socket);
  chmodSync(home.paths.runtimeDir, 0o777);
  const bridge = await useBridge(service, home.launch());
  await bridge.initialize();
  trap.close();
  expect(bridge.stderr).toContain('its directory cannot be made or is not private');
  expect(visits).toBe(0);
});
