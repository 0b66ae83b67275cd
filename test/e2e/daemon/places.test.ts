// What the disk can do to a daemon: a full one, one that cannot be written, and another user who gets there first.
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test, type TestContext } from 'vitest';
import { runCli } from '../../support/cli-process.ts';
import { useDaemonHome, type DaemonHome } from '../../support/daemon-home.ts';
import { needsRoot, needsTools } from '../../support/needs.ts';
import type { ScriptedService } from '../../support/scripted-service.ts';
import { useSmallDisk, type SmallDisk } from '../../support/small-disk.ts';
import { useBridge, useService } from '../../support/use.ts';

const NOBODY = 65_534;

interface OnDisk {
  readonly disk: SmallDisk;
  readonly service: ScriptedService;
  readonly home: DaemonHome;
}

async function useHomeOnDisk(context: TestContext): Promise<OnDisk> {
  const disk = useSmallDisk(context);
  const home = useDaemonHome(`${disk.path}/home`);
  mkdirSync(home.path, { mode: 0o700 });
  return { disk, service: await useService(), home };
}

test(
  'DM6 FB5 on a full disk the front bridges by itself, and `status` tells so',
  { timeout: 30_000 },
  async (context) => {
    const { disk, service, home } = await useHomeOnDisk(context);
    disk.fill();
    const bridge = await useBridge(service, home.launch());
    await bridge.initialize();
    expect(bridge.stderr).toContain('bridging in this process, because');
    expect((await bridge.callTool('echo', { value: 1 })).result).toBeDefined();
    const { code, stdout } = await runCli(home.path, ['status']);
    expect(stdout).toContain('1 bridge runs on its own, without a daemon');
    expect(code).toBe(1);
  },
);

test(
  'DM6 DM4 a disk that fills up costs the log, and not a request, also when the daemon is lost',
  { timeout: 30_000 },
  async (context) => {
    const { disk, service, home } = await useHomeOnDisk(context);
    const bridge = await useBridge(service, home.launch({ args: ['--log-level', 'debug'] }));
    await bridge.initialize();
    await bridge.request('tools/list');
    disk.fill();
    for (let n = 0; n < 200; n += 1)
      expect((await bridge.callTool('echo', { value: n })).result).toBeDefined();
    expect(await home.facts()).toMatchObject({ faults: 0, state: 'serving' });
    const [before] = home.pids();
    home.kill('SIGKILL');
    expect((await bridge.callTool('read', {}, { timeoutMs: 10_000 })).result).toBeDefined();
    expect((await home.facts()).pid).not.toBe(before);
    disk.empty();
    expect((await bridge.callTool('echo', { value: 'x' })).result).toBeDefined();
    expect(bridge.stderr).toBe('');
  },
);

test(
  'DM6 FB5 with a home that is read-only the front bridges by itself',
  { timeout: 30_000 },
  async (context) => {
    const { disk, service, home } = await useHomeOnDisk(context);
    disk.makeReadOnly();
    const bridge = await useBridge(service, home.launch());
    await bridge.initialize();
    expect(bridge.stderr).toContain('its directory cannot be made or is not private');
    expect((await bridge.callTool('echo', { value: 1 })).result).toBeDefined();
  },
);

/** What another user gets who connects to the socket and asks for the status with this secret. */
async function askAsNobody(socket: string, secret: string): Promise<string> {
  const script = `
    use IO::Socket::UNIX;
    my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or print("$!") and exit;
    print $s "GET /status HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nAuthorization: Bearer $ARGV[1]\\r\\n\\r\\n";
    $s->flush;
    print scalar <$s>;
  `;
  const as = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
  const command = ['perl', '-e', script, socket, secret];
  const { stdout } = await promisify(execFile)('setpriv', [...as, ...command], { cwd: '/' });
  return stdout.trim();
}

test('DM7 SC3 another user cannot connect; where somebody has opened the directory, not without the secret', async (context) => {
  needsRoot(context);
  needsTools(context, 'setpriv', 'perl');
  const home = useDaemonHome();
  const bridge = await useBridge(await useService(), home.launch());
  await bridge.initialize();
  expect(await askAsNobody(home.socket, home.secret)).toBe('Permission denied');
  chmodSync(home.path, 0o755);
  chmodSync(home.paths.runtimeDir, 0o755);
  expect(await askAsNobody(home.socket, home.secret)).toBe('Permission denied');
  chmodSync(home.socket, 0o666);
  expect(await askAsNobody(home.socket, 'f'.repeat(64))).toBe('HTTP/1.1 401 Unauthorized');
  expect(await home.facts()).toMatchObject({ clients: 1, faults: 0 });
});

test('DM7 what another user has put in the place of the runtime directory is not used', async (context) => {
  needsRoot(context);
  const service = await useService();
  const home = useDaemonHome();
  mkdirSync(home.paths.runtimeDir, { mode: 0o700 });
  writeFileSync(`${home.paths.runtimeDir}/daemon.secret`, 'f'.repeat(64), { mode: 0o600 });
  chownSync(home.paths.runtimeDir, NOBODY, NOBODY);
  const bridge = await useBridge(service, home.launch());
  await bridge.initialize();
  expect(bridge.stderr).toContain('its directory cannot be made or is not private');
  expect(home.pids()).toEqual([]);
});
