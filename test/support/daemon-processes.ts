// How the tests of this run launch, in-process or through a daemon, and the daemons of a home as they look from outside: their
// processes, what they log, and what they say on their socket.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { resolve } from 'node:path';
import { logLine } from '../../src/cli/render/log-view.ts';
import { PLAIN } from '../../src/cli/render/style.ts';
import { logPath, type LogRecord } from '../../src/observe/log-file.ts';
import { daemonSecretFile, daemonSocket, resolvePaths } from '../../src/platform/paths.ts';
import { fairMs } from './fair-time.ts';

/** Set by the vitest project `daemon` (vitest.config.ts), which runs tests of the other project once more. */
export const isThroughDaemon = process.env['MCP_BRIDGE_TEST_DAEMON'] === 'on';

/** For launches that say nothing of it. The daemon leaves with its last client, so that its end can be seen. */
export const launchEnv: Readonly<Record<string, string>> = {
  ...(isThroughDaemon
    ? { MCP_BRIDGE_DAEMON: 'on', MCP_BRIDGE_LINGER_MS: '0' }
    : { MCP_BRIDGE_DAEMON: 'off' }),
  // A test opens no page before the person who runs it.
  MCP_BRIDGE_OPEN_BROWSER: 'never',
};

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

export interface Facts {
  readonly pid: number;
  readonly version: string;
  readonly state: string;
  readonly clients: number;
  readonly faults: number;
}

/** Asks the daemon of this home on its socket. */
export async function askDaemon(
  home: string,
  path: string,
  { method = 'GET', headers = {}, secret }: ControlRequest = {},
): Promise<ControlAnswer> {
  const paths = resolvePaths({ MCP_BRIDGE_HOME: home });
  const given = secret === undefined ? readFileSync(daemonSecretFile(paths), 'latin1') : secret;
  const own = { host: 'localhost', ...(given === null ? {} : { authorization: `Bearer ${given}` }) };
  const { promise, resolve: answer, reject } = Promise.withResolvers<ControlAnswer>();
  const options = { socketPath: daemonSocket(paths), path, method, agent: false as const };
  const asked = request({ ...options, headers: { ...own, ...headers } }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => (body += text));
    response.once('end', () => answer({ status: response.statusCode ?? 0, body }));
  });
  asked.once('error', reject);
  asked.end();
  return promise;
}

export async function daemonFacts(home: string): Promise<Facts> {
  return (JSON.parse((await askDaemon(home, '/status')).body) as { daemon: Facts }).daemon;
}

/** Starts one as a front would, but in this environment; resolves when it can be found. */
export async function startDaemon(home: string, env: NodeJS.ProcessEnv): Promise<void> {
  const file = resolve(import.meta.dirname, '../../dist/app/daemon.cjs');
  spawn(process.execPath, [file], { detached: true, stdio: 'ignore', env }).unref();
  const from = performance.now();
  for (;;) {
    const facts = await daemonFacts(home).catch(() => undefined);
    if (facts !== undefined) return;
    if (fairMs(from) > 8000) throw new Error(`No daemon of ${home} can be reached.`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

export function daemonsOf(home: string): number[] {
  const mark = `MCP_BRIDGE_HOME=${home}\0`;
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

/**
 * Resolves when the daemons of this home have gone; one that no client has found yet waits for its first, and may.
 * @throws Error where one stays without reason
 */
export async function daemonsLeave(home: string): Promise<void> {
  const from = performance.now();
  while (daemonsOf(home).length > 0) {
    const facts = await daemonFacts(home).catch(() => undefined);
    if (facts?.state === 'serving' && facts.clients === 0) return;
    if (fairMs(from) > 8000) throw new Error(`A daemon stays: ${JSON.stringify(facts)}\n${daemonLog(home)}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/**
 * Ends whatever daemons of this home there are.
 * @throws Error where one of them had met an error that nothing in it expected
 */
export async function killDaemons(home: string): Promise<void> {
  for (let pids = daemonsOf(home); pids.length > 0; pids = daemonsOf(home)) {
    for (const pid of pids) endProcess(pid);
    await new Promise((done) => setTimeout(done, 5));
  }
  const fault = /.*daemon\.state fault.*/.exec(daemonLog(home))?.[0];
  if (fault !== undefined) throw new Error(`A daemon of ${home} is broken: ${fault}`);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went by itself just now.
  }
}

/** What the daemons of this home have logged, a line an event, as `mcp-bridge logs` shows it. */
export function daemonLog(home: string): string {
  let text: string;
  try {
    text = readFileSync(logPath(resolvePaths({ MCP_BRIDGE_HOME: home }).stateDir), 'utf8');
  } catch {
    return '';
  }
  return text.split('\n').map(shown).join('');
}

function shown(line: string): string {
  try {
    return `${logLine(JSON.parse(line) as LogRecord, PLAIN)}\n`;
  } catch {
    // The last one is still being written, or a full disk has cut it.
    return '';
  }
}
