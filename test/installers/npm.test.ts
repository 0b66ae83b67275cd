// The npm package, installed as somebody does who has Node.js.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { useBridge, useService } from '../support/use.ts';
import { builtVersion, expectWorks, packageFile } from './trying.ts';

test('IN1 the npm package holds the program, and nothing that it was made with', () => {
  const { stdout } = spawnSync('tar', ['-tzf', packageFile(/\.tgz$/)], { encoding: 'utf8' });
  const files = stdout.trim().split('\n');
  const strays = files.filter(
    (file) =>
      !/^package\/(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/[a-z.-]+|dist\/app\/[a-z.-]+)$/i.test(
        file,
      ),
  );
  expect(strays).toEqual([]);
  expect(files).toContain('package/dist/app/third-party-licenses.txt');
});

test('IN2 the npm package installs with its one dependency, runs, and is removed', async () => {
  const prefix = mkdtempSync(join(tmpdir(), 'mcp-bridge-npm-'));
  onTestFinished(() => rmSync(prefix, { recursive: true, force: true }));
  const npm = (...args: string[]): string => {
    const options = ['--global', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund'];
    const { status, stdout, stderr } = spawnSync('npm', [...args, ...options], { encoding: 'utf8' });
    expect(`${String(status)} ${stderr}`).toMatch(/^0 /);
    return stdout;
  };
  npm('install', packageFile(/\.tgz$/));
  const command = join(prefix, 'bin/mcp-bridge');
  expect(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout).toBe(`${builtVersion()}\n`);
  const installed = npm('ls', '--all', '--parseable').trim().split('\n').slice(1);
  expect(installed.map((path) => path.split('node_modules/').at(-1))).toEqual([
    'mcp-bridge',
    'keytar',
    'node-addon-api',
  ]);
  const service = await useService();
  const bridge = await useBridge(service, { program: [command, 'run'] });
  await bridge.initialize();
  await expectWorks(bridge, service, 'call');
  npm('uninstall', 'mcp-bridge');
  expect(existsSync(command)).toBe(false);
});
