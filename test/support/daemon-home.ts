// A home in which fronts share a daemon, and a look at that daemon from outside: its process, and what it says on its socket.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { daemonSecretFile, daemonSocket, resolvePaths } from '../../src/platform/paths.ts';
import type { LaunchOptions } from './bridge-process.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: string;
}

export interface ControlRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the daemon's own; null for none at all. */
  readonly secret?: string | null;
}

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
    const mark = `MCP_BRIDGE_HOME=${this.path}\0`;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const isDaemon = /daemon\.cjs\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
          return isDaemon && `${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`.includes(mark);
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  /** Asks the daemon on its socket. */
  ask(
    path: string,
    { method = 'GET', headers = {}, secret = this.secret }: ControlRequest = {},
  ): Promise<ControlAnswer> {
    return new Promise((resolve, reject) => {
      const own = { host: 'localhost', ...(secret === null ? {} : { authorization: `Bearer ${secret}` }) };
      const asked = request(
        { socketPath: this.socket, path, method, agent: false, headers: { ...own, ...headers } },
        (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      asked.once('error', reject);
      asked.end();
    });
  }

  async facts(): Promise<{ pid: number; version: string; state: string; clients: number; faults: number }> {
    return JSON.parse((await this.ask('/status')).body).daemon;
  }

  kill(signal: NodeJS.Signals): void {
    for (const pid of this.pids()) process.kill(pid, signal);
  }

  /** Looks again and again until the condition holds. */
  async until(condition: () => boolean | Promise<boolean>, timeoutMs = 5000): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error(`Not within ${timeoutMs} ms: ${String(condition)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async remove(): Promise<void> {
    this.kill('SIGKILL');
    await this.until(() => this.pids().length === 0);
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function useDaemonHome(path?: string): DaemonHome {
  const home = new DaemonHome(path);
  onTestFinished(() => home.remove());
  return home;
}
