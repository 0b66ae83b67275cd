// The places in which a bridge runs, each with its log as talkative as it gets, and all that it writes there.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { Bridge } from '../../../src/bridge/bridge.ts';
import { resolveRun } from '../../../src/config/resolve.ts';
import { Observatory } from '../../../src/observe/observatory.ts';
import { stderrLog } from '../../../src/observe/stderr-log.ts';
import { Abort } from '../../../src/platform/abort.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { ControlClient } from '../../../src/platform/control-client.ts';
import { knownAnswersFile } from '../../../src/platform/known-answers-file.ts';
import { daemonSecretFile, daemonSocket, resolvePaths } from '../../../src/platform/paths.ts';
import { systemRng } from '../../../src/platform/random.ts';
import { Session } from '../../../src/upstream/session.ts';
import { BridgeProcess } from '../../support/bridge-process.ts';

export interface Launch {
  readonly url: string;
  /** Flags as `run` takes them, without dashes. */
  readonly flags: Readonly<Record<string, string>>;
  readonly headers: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Running {
  /** A line from the client. */
  send(line: string): void;
  /** All that the client has got. */
  readonly received: () => string;
  /** Ends it; afterwards, all that was written, by where. stdout is not part of it: that is where payloads belong. */
  end(): Promise<ReadonlyMap<string, string>>;
}

export type World = (launch: Launch) => Promise<Running>;

function useHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'mb-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

function filesBelow(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile())
    .map((path) => [path, readFileSync(path, 'utf8')]);
}

/** The real program: its stderr, and every file below its home. `env` chooses how it runs. */
export function program(more: Readonly<Record<string, string>>): World {
  return async ({ url, flags, headers, env }) => {
    const home = useHome();
    const args = [
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
      ...headers.flatMap((header) => ['--header', header]),
    ];
    const bridge = await BridgeProcess.launch(url, { args, env: { ...env, ...more }, home });
    onTestFinished(() => bridge[Symbol.asyncDispose]());
    const daemon = more['MCP_BRIDGE_DAEMON'] === 'off' ? undefined : await askDaemon(home);
    return {
      send: (line) => bridge.send(line),
      received: () => bridge.stdout.toString(),
      async end() {
        await bridge.close();
        const told = (await daemon?.()) ?? [];
        return new Map([['stderr', bridge.stderr], ...told, ...filesBelow(home)]);
      },
    };
  };
}

/** Listens to the daemon behind a bridge. What it returns ends the daemon, and tells all that it has said. */
async function askDaemon(home: string): Promise<() => Promise<[string, string][]>> {
  const paths = resolvePaths({ MCP_BRIDGE_HOME: home });
  const places = { socketPath: daemonSocket(paths), secretFile: daemonSecretFile(paths) };
  const daemon = new ControlClient({ ...places, clock: systemClock });
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  const leaving = new Abort();
  const events: unknown[] = [];
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const deadline = performance.now() + 10_000;
  const listen = async (): Promise<void> => {
    while (!leaving.aborted && performance.now() < deadline) {
      await daemon.events((event) => void events.push(event), leaving, open);
      await pause();
    }
  };
  const listening = listen();
  await opened;
  return async () => {
    const told = ['/status', '/pool/stats', '/metrics'].map(async (path): Promise<[string, string]> => [
      `GET ${path}`,
      JSON.stringify(await daemon.get(path)),
    ]);
    const all = await Promise.all(told);
    leaving.abort();
    await listening;
    const answer = await daemon.post('/shutdown');
    const { pid } = (answer.kind === 'answered' ? answer.body : {}) as { pid?: number };
    if (pid === undefined) throw new Error(`The daemon does not end: ${JSON.stringify(answer)}`);
    while (isAlive(pid)) await pause();
    return [...all, ['GET /events', events.map((event) => JSON.stringify(event)).join('\n')]];
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The bridge with all that can watch it, in the test's own process: log, log file, status, metrics and events. */
export const watched: World = async ({ url, flags, headers, env }) => {
  const home = useHome();
  const paths = resolvePaths({ MCP_BRIDGE_HOME: home });
  const { profile, settings } = resolveRun({ target: url, flags, headers }, env, paths);
  const clock = systemClock;
  const options = {
    clock,
    mode: 'daemon',
    version: '1.2.3',
    logLevel: 'debug',
    stateDir: paths.stateDir,
  } as const;
  const observatory = new Observatory(options);
  const events = new PassThrough();
  const streamed: Buffer[] = [];
  events.on('data', (chunk: Buffer) => streamed.push(chunk));
  void observatory.streamEvents(events);
  let stderr = '';
  const log = stderrLog({ logLevel: 'debug' }, clock.wallTime, (line) => (stderr += line));
  observatory.hub.subscribe(({ event }) => log(event));

  const input = new PassThrough();
  const output = new PassThrough();
  const received: Buffer[] = [];
  output.on('data', (chunk: Buffer) => received.push(chunk));
  const shared = { settings, clock, rng: systemRng };
  const observer = observatory.observerFor({ profile: profile.name, client: 'c1' });
  const sessionObserver = observatory.observerFor({ profile: profile.name, session: 's1' });
  observer({ type: 'client.attached', service: profile.url.origin, by: 'stdio' });
  const bridge = new Bridge({
    ...shared,
    observer,
    input,
    output,
    serviceHost: profile.url.host,
    openSession: (parts) => new Session({ ...shared, ...parts, observer: sessionObserver, profile }),
    openStore: () => knownAnswersFile(paths.cacheDir, ['test']),
  });
  void bridge.run();
  return {
    send: (line) => void input.write(`${line}\n`),
    received: () => Buffer.concat(received).toString(),
    async end() {
      await bridge.close(AbortSignal.timeout(1500));
      const status = JSON.stringify(observatory.status());
      const metrics = observatory.metricsText();
      await observatory.close();
      events.destroy();
      return new Map([
        ['stderr', stderr],
        ['GET /status', status],
        ['GET /metrics', metrics],
        ['GET /events', Buffer.concat(streamed).toString()],
        ...filesBelow(home),
      ]);
    },
  };
};
