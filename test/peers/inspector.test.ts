// The command line of the MCP Inspector, which launches the bridge for each of its commands and prints what it got.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bridgeCommand, temporaryFolder } from './support/bridge.ts';
import { startChild } from './support/child.ts';
import { startEverything } from './support/everything.ts';
import type { RecordingProxy } from './support/recording-proxy.ts';
import { blockScope, testScope, until, withLimit } from './support/scope.ts';
import { connectDirectly, type Peer } from './support/sdk-client.ts';

const inspector = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js',
);

describe('the MCP Inspector', () => {
  const scope = blockScope();
  let wire: RecordingProxy;
  let direct: Peer;

  beforeAll(async () => {
    const everything = await startEverything(scope, 'streamableHttp');
    wire = await everything.proxy();
    direct = await connectDirectly(scope, `${(await everything.proxy()).origin}/mcp`);
  });

  /** Runs one command of it against the bridge, and gives the result that it printed. */
  async function inspect(...args: string[]): Promise<unknown> {
    const own = testScope();
    const from = wire.exchanges.length;
    const bridge = bridgeCommand(own, `${wire.origin}/mcp`);
    const entries = Object.entries(bridge.env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const child = startChild(own, {
      command: process.execPath,
      // What it launches comes first; all that starts with a dash is taken for its own.
      args: [
        inspector,
        '--cli',
        '--format',
        'json',
        '--quiet',
        ...entries,
        bridge.command,
        ...bridge.args,
        ...args,
      ],
      // It keeps its settings in the home folder.
      env: { PATH: process.env['PATH'] ?? '', HOME: temporaryFolder(own), USERPROFILE: temporaryFolder(own) },
    });
    let stdout = '';
    child.process.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const code = await withLimit(child.exited, 15_000, 'the Inspector to exit');
    if (code !== 0) throw new Error(`The Inspector exited with ${code}: ${child.stderr()}`);
    await until('the end of the session', () => wire.exchanges.at(-1)?.method === 'DELETE');
    const heard = wire.exchanges.slice(from);
    expect(
      heard.flatMap(({ messages }) => messages).filter(({ method }) => method === 'initialize'),
    ).toHaveLength(1);
    expect(heard.at(-1)?.method).toBe('DELETE');
    // That the service was reached through the bridge, and not past it, shows in who asked.
    for (const { headers } of heard) expect(headers['user-agent']).toMatch(/^mcp-bridge\//);
    return (JSON.parse(stdout) as { result: unknown }).result;
  }

  test.each(['legacy', 'auto'])(
    'BR1 BR4 HS4 lists the tools through the bridge with its protocol era set to %s',
    async (era) => {
      const { tools } = (await inspect('--protocol-era', era, '--method', 'tools/list')) as {
        tools: { name: string }[];
      };
      const theirs = (await direct.client.listTools()).tools;
      expect(tools).toEqual(theirs.filter(({ name }) => tools.some((tool) => tool.name === name)));
      expect(tools.length).toBeGreaterThan(10);
      expect(wire.sent('server/discover')).toEqual([]);
    },
  );

  test('BR1 BR4 calls a tool through the bridge, with its arguments as they are', async () => {
    const message = 'Über "1.50" \\ 🎈';
    const args = ['--tool-name', 'echo', '--tool-args-json', JSON.stringify({ message })];
    expect(await inspect('--method', 'tools/call', ...args)).toEqual({
      content: [{ type: 'text', text: `Echo: ${message}` }],
    });
  });

  test('BR1 reads a resource through the bridge', async () => {
    const uri = 'demo://resource/static/document/features.md';
    const read = await inspect('--method', 'resources/read', '--uri', uri);
    expect(read).toEqual(await direct.client.readResource({ uri }));
  });
});
