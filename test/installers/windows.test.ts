// setup.exe under Wine 10, in a Debian 13 that somebody has made (installers/windows/README.md says how). Wine wants files as the
// outermost standard streams of Node.js.
import { spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { makeImage } from '../../installers/image.ts';
import { manifest } from '../../installers/platforms.ts';
import { makeSetup } from '../../installers/windows/build.ts';
import { needsTools } from '../support/needs.ts';
import { useService } from '../support/use.ts';
import { makeNewer, NEWER, until } from './trying.ts';

const wineRoot = process.env['MCP_BRIDGE_WINE_ROOT'];
const FOLDER = '/root/mcp-bridge-test';
const PREFIX = `${FOLDER}/prefix`;
const USER = 'drive_c/users/root';
const PROGRAM = String.raw`C:\users\root\AppData\Local\Programs\mcp-bridge`;
const LAUNCHER = String.raw`${PROGRAM}\bin\mcp-bridge.js`;

beforeEach((context) => {
  context.skip(wineRoot === undefined, 'needs a Debian with Wine 10 in MCP_BRIDGE_WINE_ROOT');
  needsTools(context, 'makensis');
});

async function inRoot(...command: string[]): Promise<{ code: number | null; output: string }> {
  const file = join(wineRoot!, FOLDER, 'output.txt');
  const output = openSync(file, 'w');
  const env = { HOME: '/root', PATH: '/usr/sbin:/usr/bin:/sbin:/bin', WINEPREFIX: PREFIX, WINEDEBUG: '-all' };
  const child = spawn('chroot', [wineRoot!, ...command], { stdio: ['ignore', output, 'ignore'], env });
  const code = await new Promise<number | null>((done, fail) =>
    child.once('close', done).once('error', fail),
  );
  closeSync(output);
  return { code, output: readFileSync(file, 'utf8').replaceAll('\r', '') };
}

const wine = (...args: string[]): ReturnType<typeof inRoot> => inRoot('wine', ...args);
const bridge = (...args: string[]): ReturnType<typeof inRoot> =>
  wine('cmd', '/c', String.raw`${PROGRAM}\cmd\mcp-bridge.cmd`, ...args);

/** Installers of this version and of a newer one. */
function buildBoth(target: (name: string) => string): void {
  const work = mkdtempSync(join(tmpdir(), 'mcp-bridge-nsis-'));
  onTestFinished(() => rmSync(work, { recursive: true, force: true }));
  const image = join(work, 'image');
  makeImage('win32-x64', image);
  makeSetup(image, manifest.version, target('first.exe'), ['UNCOMPRESSED']);
  makeNewer(image);
  makeSetup(image, NEWER, target('newer.exe'), ['UNCOMPRESSED']);
}

test('IN2 setup.exe installs silently, runs, is upgraded over a running daemon, sets up, and is removed without a trace', async () => {
  const at = (path: string): string => join(wineRoot!, FOLDER, path);
  const dos = (name: string): string => `Z:${FOLDER.replaceAll('/', '\\')}\\${name}`;
  rmSync(at('.'), { recursive: true, force: true });
  mkdirSync(at('.'));
  onTestFinished(async () => {
    await inRoot('wineserver', '--kill');
    rmSync(at('.'), { recursive: true, force: true, maxRetries: 5 });
  });
  buildBoth(at);
  copyFileSync(join(import.meta.dirname, 'wine-launch.cjs'), at('wine-launch.cjs'));
  const service = await useService();
  const environment = String.raw`HKCU\Environment`;
  const path = String.raw`%USERPROFILE%\own tools`;
  await wine('reg', 'add', environment, '/v', 'Path', '/t', 'REG_EXPAND_SZ', '/d', path, '/f');
  const pathNow = async (): Promise<string | undefined> =>
    /Path +REG_EXPAND_SZ +(.*)/.exec((await wine('reg', 'query', environment, '/v', 'Path')).output)?.[1];
  const call = (key: string): ReturnType<typeof inRoot> =>
    wine(String.raw`${PROGRAM}\runtime\node.exe`, dos('wine-launch.cjs'), LAUNCHER, service.url, key);

  expect(await wine(dos('first.exe'), '/S')).toMatchObject({ code: 0 });
  expect(await bridge('--version')).toMatchObject({ output: `${manifest.version}\n` });
  expect(await pathNow()).toBe(String.raw`${path};${PROGRAM}\cmd`);
  expect((await call('first')).output).toMatch(/"write first"[^]*exit 0\n$/);
  expect((await bridge('status')).output).toContain(`mcp-bridge ${manifest.version} is running`);

  expect(await wine(dos('newer.exe'), '/S')).toMatchObject({ code: 0 });
  expect(await bridge('--version')).toMatchObject({ output: `${NEWER}\n` });
  expect((await call('second')).output).toMatch(/"write second"[^]*exit 0\n$/);
  expect((await bridge('status')).output).toContain(`mcp-bridge ${NEWER} is running`);
  expect(await pathNow()).toBe(String.raw`${path};${PROGRAM}\cmd`);

  expect(await wine(dos('newer.exe'), '/S', `/URL=${service.url}`)).toMatchObject({ code: 0 });
  const config = at(`prefix/${USER}/AppData/Roaming/Claude/claude_desktop_config.json`);
  const { mcpServers } = JSON.parse(readFileSync(config, 'utf8')) as {
    mcpServers: Record<string, { command: string; args: string[] }>;
  };
  expect(Object.values(mcpServers)).toMatchObject([
    { command: String.raw`${PROGRAM}\runtime\node.exe`, args: [LAUNCHER, 'run', expect.any(String)] },
  ]);

  expect(await wine(String.raw`${PROGRAM}\uninstall.exe`, '/S', '/PURGE')).toMatchObject({ code: 0 });
  // It goes on in a copy of itself.
  const local = `prefix/${USER}/AppData/Local`;
  await until(() => !existsSync(at(`${local}/Programs/mcp-bridge`)));
  expect(await pathNow()).toBe(path);
  expect(existsSync(config)).toBe(false);
  for (const folder of [`${local}/mcp-bridge`, `prefix/${USER}/AppData/Roaming/mcp-bridge`])
    expect(existsSync(at(folder))).toBe(false);
  const key = String.raw`HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\mcp-bridge`;
  expect(await wine('reg', 'query', key)).toMatchObject({ code: 1 });
}, 400_000);
