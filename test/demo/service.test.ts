// `npm run service` as a newcomer uses it: what it prints has to work when it is pasted.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const service = resolve(import.meta.dirname, '../../demo/service.ts');
let directory: string;
let cleanups: (() => unknown)[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcp-bridge-test-'));
  cleanups = [() => rm(directory, { recursive: true, force: true })];
});

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

interface Running {
  child: ChildProcess;
  shown: () => string;
}

/** Returns once it has said everything about itself. */
async function start(...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [service, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  let shown = '';
  child.stdout.on('data', (chunk) => (shown += String(chunk)));
  await vi.waitFor(() => expect(shown).toContain('Ctrl-C'), 10_000);
  return { child, shown: () => shown };
}

async function fail(...args: string[]): Promise<{ code: unknown; complaint: string }> {
  const child = spawn(process.execPath, [service, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  cleanups.push(() => child.kill('SIGKILL'));
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code, complaint };
}

test('BR1 prints an entry for Claude Desktop that works as it is, and ends on Ctrl-C', async () => {
  const notes = join(directory, 'my notes.json');
  const { child, shown } = await start('--notes', notes, '--handshake-ms', '50');
  expect(shown()).toContain('takes 50 ms');
  const config = JSON.parse(/^\{[\s\S]*?^\}/m.exec(shown())?.[0] ?? '') as {
    mcpServers: { notes: { command: string; args: string[] } };
  };
  const { command, args } = config.mcpServers.notes;
  expect([command, args[0] ?? ''].every((path) => isAbsolute(path))).toBe(true);

  const client = new Client({ name: 'pasted\x1b[2J', version: '1' });
  cleanups.push(() => client.close());
  const env = { MCP_BRIDGE_HOME: directory, MCP_BRIDGE_DAEMON: 'off' };
  await client.connect(new StdioClientTransport({ command, args, env, stderr: 'ignore' }));
  const result = await client.callTool({
    name: 'add_note',
    arguments: { title: 'Bicycle', text: 'New chain.' },
  });
  expect(result.isError).toBeFalsy();
  expect(await readFile(notes, 'utf8')).toContain('New chain.');
  await client.close();

  await vi.waitFor(() => expect(shown()).toContain('session closed: deleted (0 open)'), 5_000);
  expect(shown()).toMatch(/session opened by pasted\S* 1 \(1 open\)/);
  expect(shown()).not.toContain('\x1b'); // A client's name cannot steer the terminal.
  expect(shown()).toContain('called: add_note');
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(shown()).toContain('the notes are in their file');
  expect(await readdir(directory)).not.toContain('my notes.json.lock');
});

describe('says what is wrong with', () => {
  test.each([
    [['--port', 'x'], '--port must be a whole number from 0 to 65535, not "x"'],
    [['--port', '65536'], '--port must be a whole number'],
    [['--handshake-ms', '1.5'], '--handshake-ms must be a whole number from 0 to 60000, not "1.5"'],
    [['--notes='], '--notes needs the name of a file'],
    [['--prot', '1'], "'--prot'"],
    [['8808'], "'8808'"],
  ])('the arguments %j', async (args, message) => {
    const { code, complaint } = await fail(...args);
    expect(complaint).toContain(message);
    expect(complaint).toContain('Usage: npm run service');
    expect(code).toBe(2);
  });

  test('a file that holds no notes, a file that is in use, and a port that is taken', async () => {
    const file = join(directory, 'letter.txt');
    await writeFile(file, 'Dear all');
    expect(await fail('--port', '0', '--notes', file)).toMatchObject({
      code: 1,
      complaint: expect.stringContaining(file),
    });

    const notes = join(directory, 'notes.json');
    const { child, shown } = await start('--notes', notes);
    expect(await fail('--port', '0', '--notes', notes)).toEqual({
      code: 1,
      complaint: expect.stringContaining(`${notes} is in use by process ${child.pid}. End that one`),
    });
    const port = /127\.0\.0\.1:(\d+)/.exec(shown())?.[1] ?? '';
    const { code, complaint } = await fail('--port', port, '--notes', join(directory, 'other.json'));
    expect([code, complaint]).toEqual([1, 'That port is taken. Choose another one with --port.\n']);
    await start('--notes', join(directory, 'other.json')); // Not held by the one that did not start.
  });
});
