// The crowds that a storm is made for: bridges in one process, each with a session of its own, as so many users would have;
// and real fronts, which share the session of one daemon.
import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Bridge } from '../src/bridge/bridge.ts';
import { SETTINGS, type Settings } from '../src/config/settings.ts';
import { Abort } from '../src/platform/abort.ts';
import { systemClock } from '../src/platform/clock.ts';
import { systemRng } from '../src/platform/random.ts';
import { Session } from '../src/upstream/session.ts';
import { BenchDaemon } from './daemon.ts';
import { residentMb } from './process-usage.ts';
import { median } from './statistics.ts';
import { StormClient } from './storm-client.ts';

export interface Crowd {
  readonly clients: readonly StormClient[];
  /** How many handshakes a restart of the service may cost. */
  readonly sessions: number;
  /** When somebody tried to connect, in milliseconds since 1970. */
  readonly attempts: readonly number[];
  /** What one of them takes, in megabytes (10⁶ bytes). */
  readonly mbEach: number;
  close(): Promise<void>;
}

// What the build puts into the program.
Object.assign(globalThis, { __VERSION__: 'storm' });

const defaults = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, spec]) => [name, spec.default]),
) as unknown as Settings;

/** @param more settings other than the default ones */
export async function gatherBridges(
  count: number,
  url: string,
  more: Partial<Settings> = {},
): Promise<Crowd> {
  const before = residentBytes();
  const attempts: number[] = [];
  const note = (): void => void attempts.push(Date.now());
  subscribe('undici:client:beforeConnect', note);
  const settings = { ...defaults, ...more };
  const profile = { name: 'storm', url: new URL(url), headers: {} };
  const shared = { settings, clock: systemClock, rng: systemRng, observer: () => {} };
  const bridges = Array.from({ length: count }, () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const bridge = new Bridge({
      ...shared,
      input,
      output,
      serviceHost: profile.url.host,
      openSession: (parts) => new Session({ ...shared, ...parts, profile }),
      openStore: () => ({ load: () => undefined, save: () => Promise.resolve() }),
    });
    void bridge.run();
    return { bridge, client: new StormClient(input, output) };
  });
  const clients = bridges.map(({ client }) => client);
  await Promise.all(clients.map((client, n) => client.introduce(`bridge-${n}`)));
  return {
    clients,
    sessions: count,
    attempts,
    mbEach: (residentBytes() - before) / count / 1e6,
    close: async () => {
      await Promise.all(bridges.map(({ bridge }) => bridge.close(AbortSignal.timeout(3000))));
      unsubscribe('undici:client:beforeConnect', note);
    },
  };
}

function residentBytes(): number {
  return process.memoryUsage().rss;
}

const launcher = join(import.meta.dirname, '../bin/mcp-bridge.js');

export async function gatherFronts(count: number, url: string, home: string): Promise<Crowd> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home, MCP_BRIDGE_HOME: home };
  const fronts = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, [launcher, 'run', url], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    return { child, client: new StormClient(child.stdin, child.stdout) };
  });
  const clients = fronts.map(({ client }) => client);
  await Promise.all(clients.map((client, n) => client.introduce(`front-${n}`)));
  const daemon = new BenchDaemon(home);
  const attempts: number[] = [];
  const leaving = new Abort();
  const listening = daemon.events((event) => {
    const { type, state, at } = event as { type?: string; state?: string; at?: string };
    if (type === 'session.state' && state === 'CONNECTING') attempts.push(Date.parse(at ?? ''));
  }, leaving);
  return {
    clients,
    sessions: 1,
    attempts,
    mbEach: median(fronts.map(({ child }) => residentMb(child.pid ?? 0) ?? 0)),
    close: async () => {
      leaving.abort();
      await listening;
      await Promise.all(
        fronts.map(async ({ child }) => {
          const gone = new Promise((resolve) => child.once('exit', resolve));
          child.stdin.end();
          await gone;
        }),
      );
      await daemon.stop();
    },
  };
}
