// `mcp-bridge setup` in a fresh home, as a person runs it, and then a real client that launches what stands in the file.
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Entry } from '../../../src/setup/entry.ts';
import { runCli, type Outcome } from '../../support/cli-process.ts';
import { killDaemons } from '../../support/daemon-processes.ts';
import { useProtectedService } from '../../support/protected-service.ts';
import { useService } from '../../support/use.ts';

interface Place {
  readonly path: string;
  readonly desktop: string;
  readonly run: (...argv: string[]) => Promise<Outcome>;
  readonly entry: (name: string) => Entry;
  /** What lies in the home, but for what the bridge keeps for itself. */
  readonly files: () => string[];
}

/** A home without anything, short because a socket lies in it. Everything in its usual place. */
function useFreshHome(): Place {
  const path = mkdtempSync(join(tmpdir(), 'mb-'));
  onTestFinished(async () => {
    await killDaemons(path);
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  });
  const desktop = join(path, 'Claude', 'claude_desktop_config.json');
  return {
    path,
    desktop,
    run: (...argv) => runCli(path, ['setup', ...argv], { MCP_BRIDGE_LINGER_MS: '0' }),
    entry: (name) =>
      (JSON.parse(readFileSync(desktop, 'utf8')) as { mcpServers: Record<string, Entry> }).mcpServers[name]!,
    files: () =>
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((each) => each.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(path.length + 1))
        .filter((each) => !/^(state|cache|run)\//.test(each)),
  };
}

/** As Claude Desktop does it: the entry's command with its words, and little of its own environment. */
async function launch(entry: Entry): Promise<Client> {
  const transport = new StdioClientTransport({
    command: entry.command,
    args: [...entry.args],
    env: { ...getDefaultEnvironment(), MCP_BRIDGE_LINGER_MS: '0', ...entry.env },
    stderr: 'ignore',
  });
  const client = new Client({ name: 'claude-ai', version: '0.1.0' });
  onTestFinished(() => client.close());
  await client.connect(transport);
  return client;
}

describe('SU1 mcp-bridge setup', () => {
  test('one command in a fresh home, then a real client launches the entry and calls a tool', async () => {
    const service = await useService();
    const home = useFreshHome();
    const { code, stdout, stderr } = await home.run(service.url);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ {2}ok {7}handshake .*revision 2025-11-25/m);
    expect(stdout).toMatch(/^ {2}ok {7}proof .*launched the entry as the client does: \d+ tools/m);
    expect(stdout).toContain('Quit Claude Desktop completely');

    const entry = home.entry('local');
    expect(entry.args.at(-2)).toBe('run');
    for (const word of [entry.command, entry.args[0]]) expect(existsSync(word as string)).toBe(true);
    const client = await launch(entry);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('read');
    const answer = await client.callTool({ name: 'read', arguments: {} });
    expect(answer.isError ?? false).toBe(false);
    expect(answer.content).not.toEqual([]);
  });

  test('run again, it changes nothing, and proves it anew', async () => {
    const service = await useService();
    const home = useFreshHome();
    await home.run(service.url, '--yes');
    const before = home.files().map((file) => readFileSync(join(home.path, file), 'utf8'));
    const { code, stdout } = await home.run(service.url, '--yes');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}same {5}Claude Desktop/m);
    expect(stdout).toMatch(/^ {2}ok {7}proof/m);
    const after = home.files().map((file) => readFileSync(join(home.path, file), 'utf8'));
    expect(after.map((text) => text.replace(/"at": ".*"/, ''))).toEqual(
      before.map((text) => text.replace(/"at": ".*"/, '')),
    );
  });

  test('keeps what the user has, in the file and in the entry', async () => {
    const service = await useService();
    const home = useFreshHome();
    mkdirSync(dirname(home.desktop));
    const others = { mcpServers: { other: { command: 'other' } }, scale: 1 };
    writeFileSync(home.desktop, JSON.stringify(others));
    await home.run(service.url, '--no-check');
    const mine = { ...home.entry('local'), env: { MINE: '1' }, disabled: false, command: '/gone/node' };
    writeFileSync(
      home.desktop,
      JSON.stringify({ ...others, mcpServers: { ...others.mcpServers, local: mine } }),
    );
    const { code } = await home.run(service.url);
    expect(code).toBe(0);
    const { command, env, ...rest } = home.entry('local') as Entry & { disabled: boolean };
    expect(command).toBe(process.execPath);
    expect(env).toMatchObject({ MINE: '1' });
    expect(rest.disabled).toBe(false);
    expect(JSON.parse(readFileSync(home.desktop, 'utf8'))).toMatchObject({
      mcpServers: { other: { command: 'other' } },
      scale: 1,
    });
  });

  test('--dry-run shows the change as a diff, and changes nothing', async () => {
    const home = useFreshHome();
    mkdirSync(dirname(home.desktop));
    writeFileSync(home.desktop, '{\n  "scale": 1\n}\n');
    const { code, stdout } = await home.run('https://mcp.example.com/mcp', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain(`--- ${home.desktop}\n+++ ${home.desktop}\n@@ -1,3 +1,`);
    expect(stdout).toMatch(/^-  "scale": 1\n\+ {2}"scale": 1,\n\+ {2}"mcpServers": \{$/m);
    expect(stdout).toMatch(/^\+ +"url": "https:\/\/mcp\.example\.com\/mcp"$/m);
    expect(home.files()).toEqual(['Claude/claude_desktop_config.json']);
    expect(readFileSync(home.desktop, 'utf8')).toBe('{\n  "scale": 1\n}\n');
  });

  test('a service that cannot be reached: says where it fails, and changes nothing', async () => {
    const home = useFreshHome();
    const { code, stdout } = await home.run('http://127.0.0.1:9/mcp', '--yes');
    expect(code).toBe(1);
    expect(stdout).toMatch(/FAILED {3}TCP/);
    expect(stdout).toContain('Nothing was changed');
    expect(home.files()).toEqual([]);
  });

  test('a file that is not understood: says where, and changes nothing, the profile neither', async () => {
    const service = await useService();
    const home = useFreshHome();
    mkdirSync(dirname(home.desktop));
    writeFileSync(home.desktop, '{\n  "mcpServers": {,}\n}');
    const { code, stderr } = await home.run(service.url, '--yes');
    expect(code).toBe(1);
    expect(stderr).toMatch(/claude_desktop_config\.json is not valid JSON: .* at line 2 column 18/);
    expect(home.files()).toEqual(['Claude/claude_desktop_config.json']);
  });

  test('an entry of that name that is not ours is never touched', async () => {
    const service = await useService();
    const home = useFreshHome();
    mkdirSync(dirname(home.desktop));
    writeFileSync(home.desktop, '{"mcpServers":{"local":{"command":"other"}}}');
    const { code, stderr } = await home.run(service.url, '--name', 'local');
    expect(code).toBe(1);
    expect(stderr).toContain('launches something else');
    // Without a name of the user's choice, another one is found.
    expect((await home.run(service.url)).code).toBe(0);
    expect(home.entry('local')).toEqual({ command: 'other' });
    expect(home.entry('local-2').args.at(-1)).toBe('local-2');
  });

  test.each<[string, string[], RegExp]>([
    ['no service', [], /Which service\? Without a terminal, give its URL/],
    ['no confirmation', ['--remove'], /confirm it with --yes/],
    [
      'a client that it does not know',
      ['https://a.example/mcp', '--client', 'cursr'],
      /Did you mean "cursor"/,
    ],
    [
      'a profile that there is not',
      ['locl'],
      /neither the URL of a service \(https:\/\/…\) nor a profile.*Did you mean "local"/,
    ],
    ['an address in the clear', ['http://a.example/mcp'], /not encrypted/],
    [
      'a name that cannot be one',
      ['https://a.example/mcp', '--name', 'my work'],
      /cannot be the name of a profile/,
    ],
  ])('without a terminal, %s is said, and nobody waits', async (_what, argv, message) => {
    const home = useFreshHome();
    await home.run('http://127.0.0.1:9/mcp', '--no-check', '--client', 'cursor');
    const { code, stderr } = await home.run(...argv);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
  });

  test('a service that wants a sign-in: without a person, all is written, and what is missing is said', async () => {
    const { service } = await useProtectedService();
    const home = useFreshHome();
    const { code, stdout } = await home.run(service.url, '--yes');
    expect(code).toBe(1);
    expect(stdout).toMatch(/what is missing is the sign-in, which needs a person: `mcp-bridge login local`/);
    expect(home.entry('local').args.at(-1)).toBe('local');
  });

  test('SU2 warns while the app runs, because the app rewrites the file', async (context) => {
    context.skip(process.platform !== 'linux', 'needs /proc');
    const home = useFreshHome();
    const app = join(home.path, 'claude-desktop');
    copyFileSync('/bin/sleep', app);
    const child = spawn(app, ['60'], { stdio: 'ignore' });
    onTestFinished(() => void child.kill());
    await new Promise((done) => child.once('spawn', done));
    const { code, stdout } = await home.run('http://127.0.0.1:9/mcp', '--no-check');
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /warning +Claude Desktop Claude Desktop is running, and may write this file anew/,
    );
  });

  test('a name that is there already can be moved to another service, and says where it went before', async () => {
    const home = useFreshHome();
    await home.run('http://127.0.0.1:9/mcp?key=s3cr3t', '--no-check', '--name', 'work');
    const { code, stdout } = await home.run('http://127.0.0.1:10/mcp', '--no-check', '--name', 'work');
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('before, it went to http://127.0.0.1:9/mcp ');
    const { profiles } = JSON.parse(readFileSync(join(home.path, 'config.json'), 'utf8')) as {
      profiles: object;
    };
    expect(profiles).toEqual({ work: { url: 'http://127.0.0.1:10/mcp' } });
  });

  test('--no-check writes without asking the service, for machines that are set up before it is there', async () => {
    const home = useFreshHome();
    const { stdout } = await home.run('http://127.0.0.1:9/mcp', '--no-check', '--yes');
    expect(stdout).not.toMatch(/TCP|proof/);
    expect(stdout).toContain('not tried');
    expect(home.entry('local').args.at(-1)).toBe('local');
  });
});

describe('SU1 mcp-bridge setup --remove', () => {
  test('takes out what it has written, and the home is as empty as before', async () => {
    const service = await useService();
    const home = useFreshHome();
    await home.run(service.url);
    const { code, stdout } = await home.run('--remove', '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('"local" is out of');
    expect(home.files()).toEqual([]);
    expect((await home.run('--remove', '--yes')).stdout).toContain(
      'There is nothing of mcp-bridge to take out',
    );
  });

  test('leaves everything else byte for byte, other settings and profiles included', async () => {
    const home = useFreshHome();
    mkdirSync(dirname(home.desktop));
    const desktop = '{"scale":1.50, "mcpServers":{ "other":{"command":"other"}}}';
    const config = '{ "logLevel":"debug" , "profiles":{"mine":{"url":"https://mine.example/mcp"}} }';
    writeFileSync(home.desktop, desktop);
    writeFileSync(join(home.path, 'config.json'), config);
    await home.run('http://127.0.0.1:9/mcp', '--no-check');
    await home.run('--remove', '--yes');
    expect(readFileSync(home.desktop, 'utf8')).toBe(desktop);
    expect(readFileSync(join(home.path, 'config.json'), 'utf8')).toBe(config);
  });

  test('of one name or URL, or for one client, leaves the others', async () => {
    const home = useFreshHome();
    await home.run('http://127.0.0.1:9/mcp', '--no-check', '--client', 'claude-desktop,cursor');
    await home.run('http://127.0.0.1:10/mcp', '--no-check', '--name', 'two');
    await home.run('--remove', '--yes', '--name', 'local', '--client', 'cursor');
    expect(existsSync(join(home.path, '.cursor', 'mcp.json'))).toBe(false);
    expect(home.entry('local').args.at(-1)).toBe('local');
    await home.run('http://127.0.0.1:9/mcp', '--remove', '--yes');
    expect(home.entry('local')).toBeUndefined();
    const { profiles } = JSON.parse(readFileSync(join(home.path, 'config.json'), 'utf8')) as {
      profiles: object;
    };
    expect(Object.keys(profiles)).toEqual(['two']);
  });
});

describe('SU4 other clients', () => {
  test.each([
    ['claude-code', '.claude.json', 'mcpServers'],
    ['cursor', '.cursor/mcp.json', 'mcpServers'],
    ['vscode', 'Code/User/mcp.json', 'servers'],
  ])('%s gets its entry into %s, and it works', async (client, file, section) => {
    const service = await useService();
    const home = useFreshHome();
    const { code, stdout } = await home.run(service.url, '--client', client);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}ok {7}proof/m);
    const written = JSON.parse(readFileSync(join(home.path, file), 'utf8')) as Record<
      string,
      Record<string, Entry>
    >;
    expect(written[section]?.['local']).toMatchObject({ type: 'stdio', command: process.execPath });
    expect(existsSync(home.desktop)).toBe(false);
  });
});

describe('SU1 an entry that a client has lost', () => {
  const damage: readonly (readonly [string, (home: Place) => void, RegExp])[] = [
    [
      'the entry is gone',
      (home) => writeFileSync(home.desktop, '{"scale":1}'),
      /the entry "local" is gone from/,
    ],
    ['the file is gone', (home) => rmSync(home.desktop), /is gone, and with it the entry "local"/],
    [
      'it launches something else',
      (home) => writeFileSync(home.desktop, '{"mcpServers":{"local":{"command":"other"}}}'),
      /launches something else/,
    ],
    [
      'what it launches is not there',
      (home) =>
        writeFileSync(
          home.desktop,
          readFileSync(home.desktop, 'utf8').replace(process.execPath, '/gone/node'),
        ),
      /launches \/gone\/node, which is not there/,
    ],
  ];

  test.each(damage)('is noticed by doctor, which can write it again: %s', async (what, harm, message) => {
    const service = await useService();
    const home = useFreshHome();
    await home.run(service.url, '--no-check');
    harm(home);
    const found = await runCli(home.path, ['doctor', 'local']);
    expect(found.code).toBe(1);
    expect(found.stdout.replaceAll(/\s+/g, ' ')).toMatch(message);
    expect(found.stdout.replaceAll(/\s+/g, ' ')).toContain('Run `mcp-bridge setup local`');
    const repaired = await runCli(home.path, ['doctor', 'local', '--repair']);
    // What is somebody else's by now is not taken away.
    const isOurs = what !== 'it launches something else';
    expect(repaired.code).toBe(isOurs ? 0 : 1);
    expect((await runCli(home.path, ['doctor', 'local'])).code).toBe(isOurs ? 0 : 1);
  });
});
