// How a conformance run launches the bridge. Each entry of `launches` runs the whole suite, in both roles.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { env } from 'node:process';
import { askDaemon, daemonsLeave, daemonsOf, killDaemons } from '../support/daemon-processes.ts';

/** One way of launching: what differs from run to run is here, what does not is in `prepareLaunch`. */
export interface LaunchKind {
  /** Names the run in test titles. */
  name: string;
  /** Flags of `mcp-bridge run`, before the URL. */
  flags: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Whether bridges may use one session of the service together; if not, each makes one and ends it. */
  sharesSessions: boolean;
  /** Ends cleanly what outlives a bridge. */
  stop?(launch: Launch): Promise<void>;
}

/** A command line without its last argument, the URL; plain data, so that it can go through an environment variable. */
export interface Launch {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

export const launches: readonly LaunchKind[] = [
  { name: 'in-process', flags: [], env: { MCP_BRIDGE_DAEMON: 'off' }, sharesSessions: false },
  {
    name: 'through the daemon',
    flags: [],
    env: { MCP_BRIDGE_DAEMON: 'on' },
    sharesSessions: true,
    async stop({ env: { MCP_BRIDGE_HOME: home = '' } }) {
      if (daemonsOf(home).length > 0) await askDaemon(home, '/shutdown', { method: 'POST' });
      await daemonsLeave(home);
    },
  },
];

/** Tells `client.ts` how to reach the suite's server: a `Launch` as JSON, or `direct` for HTTP without a bridge. */
export const launchVariable = 'MCP_CONFORMANCE_LAUNCH';

/** The launch with a home of its own, shared by every bridge of the run and removed at its end. */
export async function prepareLaunch(kind: LaunchKind): Promise<Launch & AsyncDisposable> {
  const home = await mkdtemp(join(tmpdir(), 'mcp-bridge-conformance-'));
  const launch: Launch = {
    command: process.execPath,
    args: [resolve(import.meta.dirname, '../../bin/mcp-bridge.js'), 'run', ...kind.flags],
    env: { MCP_BRIDGE_HOME: home, ...kind.env },
  };
  return {
    ...launch,
    async [Symbol.asyncDispose]() {
      await killDaemons(home);
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** The launch that the environment asks for; never a default, so that no run skips the bridge unnoticed. */
export function launchFromEnvironment(): Launch | 'direct' {
  const value = env[launchVariable];
  if (value === undefined) throw new Error(`${launchVariable} is not set`);
  return value === 'direct' ? 'direct' : (JSON.parse(value) as Launch);
}
