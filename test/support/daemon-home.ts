// A home in which fronts share a daemon, and a look at that daemon from outside: its process, and what it says on its socket.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { daemonSecretFile, daemonSocket, resolvePaths } from '../../src/platform/paths.ts';
import type { LaunchOptions } from './bridge-process.ts';
import {
  askDaemon,
  daemonFacts,
  daemonsOf,
  killDaemons,
  type ControlAnswer,
  type ControlRequest,
  type Facts,
} from './daemon-processes.ts';
import { fairMs } from './fair-time.ts';

export class DaemonHome {
  readonly path: string;

  constructor(path = mkdtempSync(join(tmpdir(), 'mcp-bridge-daemon-'))) {
    this.path = path;
  }

  get paths(): ReturnType<typeof resolvePaths> {
    return resolvePaths({ MCP_BRIDGE_HOME: this.path });
  }

  get socket(): string {
    return daemonSocket(this.paths);
  }

  get secret(): string {
    return readFileSync(daemonSecretFile(this.paths), 'latin1');
  }

  /** For useBridge: launches that share this home's daemon. */
  launch(options: LaunchOptions = {}): LaunchOptions {
    return { ...options, home: this.path, env: { MCP_BRIDGE_DAEMON: 'on', ...options.env } };
  }

  /** The processes that are daemons of this home, as the system knows them. */
  pids(): number[] {
    return daemonsOf(this.path);
  }

  /** Asks the daemon on its socket. */
  ask(path: string, request?: ControlRequest): Promise<ControlAnswer> {
    return askDaemon(this.path, path, request);
  }

  facts(): Promise<Facts> {
    return daemonFacts(this.path);
  }

  kill(signal: NodeJS.Signals): void {
    for (const pid of this.pids()) process.kill(pid, signal);
  }

  /** Looks again and again until the condition holds. */
  async until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
    const from = performance.now();
    while (!(await condition())) {
      if (fairMs(from) > timeoutMs) throw new Error(`Not within ${timeoutMs} ms: ${String(condition)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async remove(): Promise<void> {
    await killDaemons(this.path);
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function useDaemonHome(path?: string): DaemonHome {
  const home = new DaemonHome(path);
  onTestFinished(() => home.remove());
  return home;
}
