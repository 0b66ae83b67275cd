// Who is measured, and how each is started. A peer runs as its authors ship it, with its own logging switched off, so
// that it is seen at its best. Nobody may write outside `home`.
import { build } from 'esbuild';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { BenchDaemon } from './daemon.ts';
import type { Command } from './driver.ts';

export interface Candidate {
  readonly name: string;
  readonly version: string;
  /** Why it cannot be measured here; undefined when it can. */
  readonly missing?: string | undefined;
  /** What it starts in the background. */
  readonly daemon?: BenchDaemon;
  commandFor(url: string): Command;
}

const root = resolve(import.meta.dirname, '..');
const relayFile = join(root, 'dist/bench/relay.mjs');
const require = createRequire(join(root, 'bench/peers/package.json'));

export const bareName = 'bare';
export const relayName = 'relay';
/** As it is shipped: a front, and the daemon behind it. */
export const bridgeName = 'mcp-bridge';
/** The same bridge without a daemon. */
export const inProcessName = 'in-process';
export const candidateNames = [
  bareName,
  relayName,
  bridgeName,
  inProcessName,
  'mcp-remote',
  'supergateway',
] as const;

/** One file, as our own program is, so that both load the same way. */
export async function bundleRelay(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['bench/relay.ts'],
    outfile: relayFile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22.19',
    minifySyntax: true,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
}

export function listCandidates(home: string): Candidate[] {
  const env = cleanEnvironment(home);
  const node = (...args: string[]): Command => ({ file: process.execPath, args, env });
  const bridgeFile = join(root, 'bin/mcp-bridge.js');
  const remote = findPeer('mcp-remote', 'dist/proxy.js');
  const gateway = findPeer('supergateway', 'dist/index.js');
  const isBuilt = existsSync(bridgeFile) && existsSync(join(root, 'dist/app/run.cjs'));
  const own = {
    version: versionIn(root),
    missing: isBuilt ? undefined : 'It is not built: run `npm run build`.',
  };
  return [
    { name: bareName, version: process.version, commandFor: () => node('-e', '0') },
    {
      name: relayName,
      version: `undici ${versionIn(join(root, 'node_modules/undici'))}`,
      commandFor: (url) => node(relayFile, url),
    },
    {
      name: bridgeName,
      ...own,
      daemon: new BenchDaemon(env['MCP_BRIDGE_HOME']!),
      commandFor: (url) => node(bridgeFile, 'run', url),
    },
    {
      name: inProcessName,
      ...own,
      commandFor: (url) => ({
        file: process.execPath,
        args: [bridgeFile, 'run', url],
        env: { ...env, MCP_BRIDGE_HOME: join(home, 'in-process'), MCP_BRIDGE_DAEMON: 'off' },
      }),
    },
    {
      name: 'mcp-remote',
      ...remote,
      commandFor: (url) => node(remote.file, url, '--allow-http', '--transport', 'http-only', '--silent'),
    },
    {
      name: 'supergateway',
      ...gateway,
      commandFor: (url) =>
        node(gateway.file, '--streamableHttp', url, '--outputTransport', 'stdio', '--logLevel', 'none'),
    },
  ];
}

/** What a desktop program hands to a server that it launches, and nothing that changes how Node.js runs. */
function cleanEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    TMPDIR: home,
    MCP_BRIDGE_HOME: join(home, 'mcp-bridge'),
    MCP_REMOTE_CONFIG_DIR: join(home, 'mcp-remote'),
  };
}

function versionIn(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}

function findPeer(name: string, entry: string): { file: string; version: string; missing?: string } {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = join(folder, name, entry);
    if (existsSync(file)) return { file, version: versionIn(dirname(dirname(file))) };
  }
  return { file: '', version: '–', missing: 'It is not installed: run `npm ci`.' };
}
