// install.sh and its archives, in a clean Debian, by a user without rights.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { needsTools } from '../support/needs.ts';
import { useBridge, useService } from '../support/use.ts';
import type { CleanRoot } from './clean-root.ts';
import {
  builtVersion,
  changesOf,
  expectWorks,
  isThere,
  makeNewer,
  NEWER,
  packageFile,
  until,
  useCleanRoot,
} from './trying.ts';

const PACKAGES = '/tmp/packages';
const HOME = '/home/tester';
const LIB = `${HOME}/.local/lib/mcp-bridge`;
const COMMAND = `${HOME}/.local/bin/mcp-bridge`;

/** A folder as somebody downloads it. Afterwards nothing of the user's is left of this test. */
function usePackages(root: CleanRoot): void {
  const clean = (): void => {
    for (const pid of root.processes()) process.kill(pid, 'SIGKILL');
    root.expectRun([
      'sh',
      '-c',
      `rm -rf ${PACKAGES} ${HOME}/.[a-z]* /tmp/newer && cp -r /etc/skel/. ${HOME}`,
    ]);
  };
  clean();
  onTestFinished(clean);
  mkdirSync(root.at(PACKAGES));
  const archive = packageFile(/-linux-x64\.tar\.gz$/);
  for (const file of [archive, join(archive, '../install.sh'), join(archive, '../SHA256SUMS')])
    copyFileSync(file, join(root.at(PACKAGES), file.split('/').at(-1)!));
}

function statusOf(root: CleanRoot): { daemon: { pid: number; version: string } } {
  return JSON.parse(root.run('tester', [COMMAND, 'status', '--json']).output) as ReturnType<typeof statusOf>;
}

/** What is left, but for folders that others use too. */
function leftOf(root: CleanRoot, before: readonly string[]): string[] {
  const { more, fewer } = changesOf(root, before);
  expect(fewer).toEqual([]);
  return more.filter(
    (path) => !/^home\/tester\/\.(local|cache|config)(\/(lib|bin|state|share))?$/.test(path),
  );
}

test('IN1 install.sh has nothing that shellcheck objects to', (context) => {
  needsTools(context, 'shellcheck');
  const scripts = ['unix/install.sh', 'unix/mcp-bridge', 'deb/debian/prerm', 'deb/debian/postrm'];
  const files = scripts.map((name) => join(import.meta.dirname, '../../installers', name));
  const { stdout, status } = spawnSync('shellcheck', ['--shell=sh', ...files], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

describe('IN2 install.sh installs, runs and removes without a trace', () => {
  test.for(['dash', 'bash', 'zsh', 'busybox sh'])('in %s', async (shell, context) => {
    const root = useCleanRoot(context);
    copyFileSync('/usr/bin/busybox', root.at('/tmp/busybox'));
    root.expectRun(['chmod', '755', '/tmp/busybox']);
    usePackages(root);
    const before = root.files();
    const words = shell.replace('busybox', '/tmp/busybox').split(' ');

    const installed = root.run('tester', [...words, `${PACKAGES}/install.sh`]);
    expect(installed).toEqual({
      code: 0,
      output: expect.stringContaining(`mcp-bridge ${builtVersion()} is installed`),
    });
    expect(root.run('tester', [COMMAND, '--version']).output).toBe(`${builtVersion()}\n`);
    const service = await useService();
    const bridge = await useBridge(service, { program: root.program('tester', [COMMAND, 'run']) });
    await bridge.initialize();
    await expectWorks(bridge, service, 'call');
    expect((await bridge.close()).code).toBe(0);

    // The daemon lingers, and is ended.
    expect(root.processes()).not.toEqual([]);
    const removed = root.run('tester', [...words, `${LIB}/install.sh`, '--uninstall', '--purge']);
    expect(removed).toEqual({ code: 0, output: expect.stringContaining('is removed') });
    expect(root.processes()).toEqual([]);
    expect(leftOf(root, before)).toEqual([]);
  });
});

test('IN2 an unpacked archive upgrades in place: settings stay, clients go on, the old daemon hands over', async (context) => {
  const root = useCleanRoot(context);
  usePackages(root);
  const service = await useService();
  expect(root.run('tester', ['sh', `${PACKAGES}/install.sh`]).code).toBe(0);
  const settings = JSON.stringify({ profiles: { work: { url: service.url } } });
  root.expectRun(['sh', '-c', `mkdir -p ${HOME}/.config/mcp-bridge && chown -R tester ${HOME}/.config`]);
  const config = root.at(`${HOME}/.config/mcp-bridge/config.json`);
  writeFileSync(config, settings);
  const run = root.program('tester', [COMMAND, 'run']);
  const older = await useBridge('work', { program: run });
  await older.initialize();
  await expectWorks(older, service, 'before');
  const oldDaemon = statusOf(root).daemon.pid;

  unpackNewer(root, '/tmp/newer');
  const upgraded = root.run('tester', ['/tmp/newer/install.sh']);
  expect(upgraded).toEqual({ code: 0, output: expect.stringContaining(`mcp-bridge ${NEWER} is installed`) });
  await expectWorks(older, service, 'after');
  const newer = await useBridge('work', { program: run });
  await newer.initialize();
  await until(() => !root.processes().includes(oldDaemon));
  expect(statusOf(root).daemon.version).toBe(NEWER);
  await expectWorks(older, service, 'older client of the newer daemon');
  await expectWorks(newer, service, 'newer client');
  expect(readFileSync(config, 'utf8')).toBe(settings);

  // Without --purge, settings outlive it.
  expect(root.run('tester', [`${LIB}/install.sh`, '--uninstall']).code).toBe(0);
  expect(isThere(root, LIB)).toBe(false);
  expect(isThere(root, COMMAND)).toBe(false);
  expect(root.processes()).toEqual([]);
  expect(readFileSync(config, 'utf8')).toBe(settings);
});

test('IN2 SU1 one command installs and sets up Claude Desktop, and one takes all of it out', async (context) => {
  const root = useCleanRoot(context);
  usePackages(root);
  const service = await useService();
  // As Claude Desktop has it, when it has been started once.
  expect(root.run('tester', ['mkdir', '-p', `${HOME}/.config/Claude`]).code).toBe(0);
  const before = root.files();
  const installed = await root.runBeside('tester', ['sh', `${PACKAGES}/install.sh`, '--url', service.url]);
  expect(installed.output).toContain('is installed');
  expect(installed.code).toBe(0);

  // What Claude Desktop would launch, and nothing else.
  const file = `${HOME}/.config/Claude/claude_desktop_config.json`;
  const { mcpServers } = JSON.parse(readFileSync(root.at(file), 'utf8')) as {
    mcpServers: Record<string, { command: string; args: string[] }>;
  };
  const [entry, ...others] = Object.values(mcpServers);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({
    command: `${LIB}/runtime/node`,
    args: [`${LIB}/bin/mcp-bridge.js`, 'run', expect.any(String)],
  });
  const [script, ...args] = entry!.args;
  const program = root.program('tester', [entry!.command, script!, ...args.slice(0, -1)]);
  const bridge = await useBridge(args.at(-1)!, { program });
  await bridge.initialize();
  await expectWorks(bridge, service, 'call');

  const remove = [`${LIB}/install.sh`, '--uninstall', '--purge'];
  expect(await root.runBeside('tester', remove)).toMatchObject({ code: 0 });
  expect(root.processes()).toEqual([]);
  expect(leftOf(root, before)).toEqual([]);
});

/** The archive, unpacked by hand, as if it were of a newer version. */
function unpackNewer(root: CleanRoot, path: string): void {
  const folder = root.at(path);
  mkdirSync(folder);
  const archive = packageFile(/-linux-x64\.tar\.gz$/);
  expect(spawnSync('tar', ['-xzf', archive, '-C', folder, '--strip-components=1']).status).toBe(0);
  makeNewer(folder);
  const sums = `find . -type f ! -name SHA256SUMS -printf '%P\\0' | xargs -0 sha256sum > SHA256SUMS`;
  expect(spawnSync('sh', ['-c', sums], { cwd: folder }).status).toBe(0);
}

describe('IN2 install.sh changes nothing', () => {
  test.for<[string, string, (root: CleanRoot) => void]>([
    [
      'where the archive is not what its sum says',
      'SHA256SUMS says',
      (root) => {
        const name = readdirSync(root.at(PACKAGES)).find((file) => file.endsWith('.tar.gz'))!;
        writeFileSync(join(root.at(PACKAGES), name), 'x', { flag: 'a' });
      },
    ],
    ['where there are no sums', 'cannot be checked', (root) => rmSync(join(root.at(PACKAGES), 'SHA256SUMS'))],
    [
      'where a library is missing that Node.js needs',
      'install the package libatomic1',
      (root) => {
        const file = root.at('/usr/lib/x86_64-linux-gnu/libatomic.so.1');
        renameSync(file, `${file}.away`);
        onTestFinished(() => renameSync(`${file}.away`, file));
      },
    ],
    [
      'where another program has its name',
      'not mine',
      (root) => {
        root.expectRun([
          'sh',
          '-c',
          `mkdir -p ${HOME}/.local/bin && echo mine > ${COMMAND} && chown -R tester ${HOME}/.local`,
        ]);
      },
    ],
  ])('%s', ([, message, spoil], context) => {
    const root = useCleanRoot(context);
    usePackages(root);
    spoil(root);
    const before = root.files();
    const { code, output } = root.run('tester', ['sh', `${PACKAGES}/install.sh`]);
    expect(output).toContain(message);
    expect(code).toBe(1);
    const more = changesOf(root, before).more.filter((path) => !/\.local(\/(lib|bin))?$/.test(path));
    expect(more).toEqual([]);
  });
});

test('IN2 install.sh says what is wrong with its arguments, and removes only what is there', (context) => {
  const root = useCleanRoot(context);
  usePackages(root);
  const script = ['sh', `${PACKAGES}/install.sh`];
  for (const [args, message] of [
    [['--prefix'], '--prefix needs a value'],
    [['--frobnicate'], 'I do not know --frobnicate'],
    [['--purge'], '--purge goes with --uninstall'],
    [['--uninstall', '--url', 'https://example.com/'], 'takes neither'],
    [['--uninstall'], 'There is no mcp-bridge below'],
    [['--from', '/nowhere'], 'in /nowhere'],
  ] as const) {
    const { code, output } = root.run('tester', [...script, ...args]);
    expect(output).toContain(message);
    expect(code).toBe(1);
  }
});
