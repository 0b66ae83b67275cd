// The bundle, unpacked and launched as Claude Desktop does it, by the resolver of the specification's own package.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getMcpConfigForManifest, v0_3 } from '@anthropic-ai/mcpb';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { needsTools } from '../support/needs.ts';
import { useDaemonHome } from '../support/daemon-home.ts';
import { useBridge, useService } from '../support/use.ts';
import { expectWorks, packageFile } from './trying.ts';

beforeEach((context) => needsTools(context, 'unzip'));

function useUnpacked(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp bridge bundle '));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  expect(spawnSync('unzip', ['-q', packageFile(/\.mcpb$/), '-d', folder]).status).toBe(0);
  return folder;
}

async function configFor(folder: string, userConfig: Record<string, string>) {
  const manifest = v0_3.McpbManifestSchema.parse(
    JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')),
  );
  return getMcpConfigForManifest({
    manifest,
    extensionPath: folder,
    systemDirs: {},
    userConfig,
    pathSeparator: '/',
  });
}

test.each([
  ['without a token', {}, undefined],
  ['with an empty one', { token: '' }, undefined],
  ['with a token', { token: 'tok-1' }, 'Bearer tok-1'],
])('IN1 IN2 the .mcpb is launched by what its manifest says, %s', async (_, given, authorization) => {
  const folder = useUnpacked();
  const service = await useService();
  const config = (await configFor(folder, { url: service.url, ...given }))!;
  expect(statSync(config.command).mode & 0o111).toBe(0o111);
  const [script, ...args] = config.args!;
  const home = useDaemonHome();
  const launch = home.launch({ env: { PATH: '/nowhere', ...config.env } });
  const bridge = await useBridge(args.at(-1)!, {
    ...launch,
    program: [config.command, script!, ...args.slice(0, -1)],
  });
  await bridge.initialize();
  expect(readlinkSync(`/proc/${bridge.pid}/exe`)).toBe(config.command);
  await expectWorks(bridge, service, 'call');
  expect(service.record.requests.at(-1)!.headers['authorization']).toBe(authorization);
  // The daemon is of the bundle too.
  expect(home.pids().map((pid) => readlinkSync(`/proc/${pid}/exe`))).toEqual([config.command]);
});

test('IN1 the .mcpb is not launched without a URL', async () => {
  expect(await configFor(useUnpacked(), {})).toBeUndefined();
});
