// The entry that set-up writes, the places that it is written to, and the name that it gets. Pure.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '../../src/config/config-file.ts';
import { CLIENTS, usedPlaces, type Machine } from '../../src/setup/clients.ts';
import { bridgedBy, entryFor } from '../../src/setup/entry.ts';
import { spacelessPath } from '../../src/setup/spaceless.ts';
import { freeName, nameOf } from '../../src/setup/profile-name.ts';

const program = { node: '/opt/mcp-bridge/node', script: '/opt/mcp-bridge/bin/mcp-bridge.js' };

describe('SU3 the entry', () => {
  test('names the program by absolute paths, and the service by the name of its profile', () => {
    expect(
      entryFor(program, 'work', { PATH: '/bin', MCP_BRIDGE_TOKEN: 'secret' }, { hasType: false }),
    ).toEqual({
      command: '/opt/mcp-bridge/node',
      args: ['/opt/mcp-bridge/bin/mcp-bridge.js', 'run', 'work'],
    });
    expect(entryFor(program, 'work', {}, { hasType: true })).toMatchObject({ type: 'stdio' });
  });

  test('tells the bridge where its files are, where that is not the usual place: clients pass little on', () => {
    const env = { MCP_BRIDGE_HOME: '/srv/mb', XDG_CONFIG_HOME: '/srv/config' };
    expect(entryFor(program, 'work', env, { hasType: false }).env).toEqual({ MCP_BRIDGE_HOME: '/srv/mb' });
    const { MCP_BRIDGE_HOME: _, ...xdg } = env;
    expect(entryFor(program, 'work', xdg, { hasType: false }).env).toEqual({
      XDG_CONFIG_HOME: '/srv/config',
    });
  });

  test('takes along the way to the network, but no password of a proxy', () => {
    const env = {
      HTTPS_PROXY: 'http://p.example:3128',
      HTTP_PROXY: 'http://jane:s3cr3t@p.example',
      no_proxy: 'a.example',
      XDG_CONFIG_HOME: '/home/jane@corp.example/.config',
    };
    expect(entryFor(program, 'work', env, { hasType: false }).env).toEqual({
      HTTPS_PROXY: 'http://p.example:3128',
      no_proxy: 'a.example',
      XDG_CONFIG_HOME: '/home/jane@corp.example/.config',
    });
  });

  test('has no space in an argument; one in the command does no harm', () => {
    const spaced = {
      node: 'C:\\Program Files\\nodejs\\node.exe',
      script: 'C:\\mcp-bridge\\bin\\mcp-bridge.js',
    };
    expect(entryFor(spaced, 'work', {}, { hasType: false }).args.join('')).not.toMatch(/\s/);
  });

  test('a script whose path has a space is named by its short name on Windows, and by a link elsewhere', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-link-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const script = join(folder, 'my apps', 'mcp-bridge.js');
    mkdirSync(dirname(script));
    writeFileSync(script, '');
    const link = join(folder, 'config', 'bin', 'mcp-bridge.js');
    for (let n = 0; n < 2; n += 1) {
      expect(spacelessPath(script, { platform: 'linux', link })).toBe(link);
      expect(realpathSync(link)).toBe(script);
    }
    const windows = {
      platform: 'win32',
      link,
      shortName: () => 'C:\\Users\\JANEDO~1\\mcp-bridge.js',
    } as const;
    expect(spacelessPath('C:\\Users\\Jane Doe\\mcp-bridge.js', windows)).toBe(
      'C:\\Users\\JANEDO~1\\mcp-bridge.js',
    );
    expect(spacelessPath('/opt/mcp-bridge.js', { platform: 'linux', link })).toBe('/opt/mcp-bridge.js');
    const nowhere = { platform: 'darwin', link: join(folder, 'a b', 'mcp-bridge.js') } as const;
    expect(() => spacelessPath(script, nowhere)).toThrow(/folder without spaces/);
    expect(() => spacelessPath(script, { ...windows, shortName: (path) => path })).toThrow(ConfigError);
  });

  test.each<[string | undefined, unknown]>([
    ['work', { command: '/opt/node', args: ['/opt/bin/mcp-bridge.js', 'run', 'work'] }],
    ['work', { command: 'C:\\mcp-bridge\\mcp-bridge.cmd', args: ['run', 'work'] }],
    ['https://a.example/mcp', { command: 'mcp-bridge', args: ['https://a.example/mcp'] }],
    ['work', { command: 'mcp-bridge', args: ['run', '--allow-http', 'work'] }],
    [undefined, { command: 'npx', args: ['mcp-remote', 'https://a.example/mcp'] }],
    [undefined, { command: '/srv/mcp-bridge/other', args: ['run', 'work'] }],
    [undefined, { url: 'https://a.example/mcp' }],
    [undefined, 'mcp-bridge run work'],
    [undefined, null],
  ])('is known again: %s', (target, entry) => {
    expect(bridgedBy(entry)).toBe(target);
  });
});

function machine(platform: NodeJS.Platform, there: readonly string[] = [], env = {}): Machine {
  const isUnder = (path: string): boolean =>
    there.some((each) => each === path || each.startsWith(`${path}\\`) || each.startsWith(`${path}/`));
  return {
    platform,
    env,
    home: platform === 'win32' ? 'C:\\Users\\jane' : '/home/jane',
    exists: isUnder,
    list: (path) =>
      there
        .filter((each) => each.startsWith(path))
        .map((each) => each.slice(path.length + 1).split('\\')[0] ?? ''),
  };
}

describe('SU2 the places of Claude Desktop', () => {
  const { 'claude-desktop': client } = CLIENTS;
  test('macOS and Linux', () => {
    expect(usedPlaces(client, machine('darwin'))).toEqual([
      '/home/jane/Library/Application Support/Claude/claude_desktop_config.json',
    ]);
    expect(usedPlaces(client, machine('linux'))).toEqual([
      '/home/jane/.config/Claude/claude_desktop_config.json',
    ]);
    expect(usedPlaces(client, machine('linux', [], { XDG_CONFIG_HOME: '/c' }))).toEqual([
      '/c/Claude/claude_desktop_config.json',
    ]);
  });

  test('Windows: the classic one, and each that came from the store', () => {
    const env = { APPDATA: 'C:\\R', LOCALAPPDATA: 'C:\\L' };
    const classic = 'C:\\R\\Claude\\claude_desktop_config.json';
    const packaged = (name: string): string =>
      `C:\\L\\Packages\\${name}\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json`;
    expect(usedPlaces(client, machine('win32', [], env))).toEqual([classic]);
    const store = packaged('Claude_pzs8sxrjxfjjc');
    expect(usedPlaces(client, machine('win32', [store], env))).toEqual([store]);
    const both = [classic, store, packaged('Claude_other'), 'C:\\L\\Packages\\Other_x\\LocalCache'];
    expect(usedPlaces(client, machine('win32', both, env))).toEqual(both.slice(0, 3));
    expect(usedPlaces(client, machine('win32', []))).toEqual([
      'C:\\Users\\jane\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
    ]);
  });

  test('SU4 other clients have theirs', () => {
    const places = (platform: NodeJS.Platform, env = {}): string[] =>
      (['claude-code', 'cursor', 'vscode'] as const).flatMap((id) =>
        usedPlaces(CLIENTS[id], machine(platform, [], env)),
      );
    expect(places('linux')).toEqual([
      '/home/jane/.claude.json',
      '/home/jane/.cursor/mcp.json',
      '/home/jane/.config/Code/User/mcp.json',
    ]);
    expect(places('darwin')[2]).toBe('/home/jane/Library/Application Support/Code/User/mcp.json');
    expect(places('win32', { APPDATA: 'C:\\R' })).toEqual([
      'C:\\Users\\jane\\.claude.json',
      'C:\\Users\\jane\\.cursor\\mcp.json',
      'C:\\R\\Code\\User\\mcp.json',
    ]);
  });
});

describe('SU1 the name of a service', () => {
  test.each([
    ['https://mcp.notion.com/mcp', 'notion'],
    ['https://api.githubcopilot.com/mcp/', 'githubcopilot'],
    ['https://mcp.internal.example.com/mcp', 'internal'],
    ['https://example.com/mcp', 'example'],
    ['https://mcp.dev/', 'mcp'],
    ['http://localhost:3000/mcp', 'local'],
    ['http://127.0.0.1:3000/mcp', 'local'],
    ['http://[::1]:3000/mcp', 'local'],
    ['https://intranet/mcp', 'intranet'],
  ])('%s is %s', (url, name) => {
    expect(nameOf(new URL(url))).toBe(name);
  });

  test('gets a number where it is in use', () => {
    expect(freeName('work', () => false)).toBe('work');
    expect(freeName('work', (name) => name === 'work' || name === 'work-2')).toBe('work-3');
  });
});
