// The package for Debian and Ubuntu, in a clean Debian.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { needsTools } from '../support/needs.ts';
import { useBridge, useService } from '../support/use.ts';
import {
  builtVersion,
  changesOf,
  expectWorks,
  makeNewer,
  NEWER,
  packageFile,
  until,
  useCleanRoot,
} from './trying.ts';

beforeEach((context) => needsTools(context, 'dpkg-deb'));

/** The built package as if it were of a newer version. */
function newerPackage(): string {
  const work = mkdtempSync(join(tmpdir(), 'mcp-bridge-deb-'));
  onTestFinished(() => rmSync(work, { recursive: true, force: true }));
  const tree = join(work, 'tree');
  expect(spawnSync('dpkg-deb', ['-R', packageFile(/\.deb$/), tree]).status).toBe(0);
  makeNewer(join(tree, 'usr/lib/mcp-bridge'));
  const control = join(tree, 'DEBIAN/control');
  const text = readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${NEWER}`);
  writeFileSync(control, text);
  const file = join(work, 'newer.deb');
  expect(spawnSync('dpkg-deb', ['--root-owner-group', '-Znone', '-b', tree, file]).status).toBe(0);
  return file;
}

test('IN1 lintian has nothing to say against the .deb', (context) => {
  needsTools(context, 'lintian');
  // Spelling in the binary of Node.js is not ours, and looking for it takes most of the time.
  const options = ['--allow-root', '--fail-on', 'error,warning', '-X', 'binaries/spelling'];
  const { stdout, stderr, status } = spawnSync('lintian', [...options, packageFile(/\.deb$/)], {
    encoding: 'utf8',
  });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});

test('IN2 the .deb installs, runs, is upgraded under a running client, and is purged without a trace', async (context) => {
  const root = useCleanRoot(context);
  const service = await useService();
  const run = root.program('tester', ['/usr/bin/mcp-bridge', 'run']);
  const before = root.files();

  copyFileSync(packageFile(/\.deb$/), root.at('/tmp/first.deb'));
  root.expectRun(['dpkg', '--install', '/tmp/first.deb']);
  expect(root.run('tester', ['mcp-bridge', '--version'])).toEqual({ code: 0, output: `${builtVersion()}\n` });
  expect(root.run('root', ['dpkg', '--verify', 'mcp-bridge'])).toEqual({ code: 0, output: '' });

  // The administrator's settings, and a user's: an upgrade changes neither.
  const managed = root.at('/etc/mcp-bridge/config.json');
  root.expectRun(['mkdir', '-p', '/etc/mcp-bridge']);
  const settings = JSON.stringify({ profiles: { work: { url: service.url } } });
  writeFileSync(managed, settings);

  const older = await useBridge('work', { program: run });
  await older.initialize();
  await expectWorks(older, service, 'first');
  const oldDaemon = daemonPid(root.run('tester', ['mcp-bridge', 'status', '--json']).output);

  copyFileSync(newerPackage(), root.at('/tmp/second.deb'));
  root.expectRun(['dpkg', '--install', '/tmp/second.deb']);
  await expectWorks(older, service, 'after the upgrade');
  const newer = await useBridge('work', { program: run });
  await newer.initialize();
  await until(() => !root.processes().includes(oldDaemon));
  const status = JSON.parse(root.run('tester', ['mcp-bridge', 'status', '--json']).output) as {
    daemon: { version: string };
  };
  expect(status.daemon.version).toBe(NEWER);
  await expectWorks(older, service, 'older client of the newer daemon');
  await expectWorks(newer, service, 'newer client');
  expect(readFileSync(managed, 'utf8')).toBe(settings);

  expect(root.processes().length).toBeGreaterThanOrEqual(3);
  root.expectRun(['dpkg', '--remove', 'mcp-bridge']);
  expect(root.processes()).toEqual([]);
  expect(readFileSync(managed, 'utf8')).toBe(settings);
  root.expectRun(['dpkg', '--purge', 'mcp-bridge']);

  // What the user's bridges kept is the user's.
  root.expectRun(['rm', '-rf', '/home/tester/.cache', '/home/tester/.config', '/home/tester/.local']);
  expect(changesOf(root, before)).toEqual({ more: [], fewer: [] });
});

function daemonPid(status: string): number {
  return (JSON.parse(status) as { daemon: { pid: number } }).daemon.pid;
}
