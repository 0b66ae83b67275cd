// Runs the steps one after the other and tells a person how each went. Owns the set-up, the time limits and the
// clean-up: whatever happens, every process and file that it made is gone at the end.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { BridgeClient, RawBridge, type BridgeCommand } from './bridge-process.ts';
import { quantile, type Timings } from './comparison.ts';
import { startNotesService, type NotesService } from './notes-service.ts';
import { NotesStore } from './notes-store.ts';
import { formatMs, Screen, type Output } from './screen.ts';
import { steps } from './steps.ts';

export const handshakeMs = 400;
const defaultStepLimitMs = 8_000;
const totalLimitMs = 26_000; // The clean-up has to fit into the 30 s as well.

/** What the steps work with. */
export interface Stage {
  readonly notesFile: string;
  /** The one that runs now: `restartService` puts another one into its place. */
  readonly service: NotesService;
  /** The client that goes through the bridge. */
  readonly bridge: BridgeClient;
  /** One that talks to the service directly, to compare with. Its session does not outlive a fault. */
  readonly direct: Client;
  connectDirect(): Promise<Client>;
  /** Starts the service again, on the same port and with the same notes, after it was killed. */
  restartService(): Promise<NotesService>;
  /** Launches one more bridge, to be driven line by line. */
  launchRaw(): RawBridge;
  /** Shows how far the running step is. */
  show: (state: string) => void;
  readonly timings: { persistent: Timings; perRequest: Timings };
}

export interface WalkthroughOptions {
  output: Output;
  /** How to launch the bridge for the service at `url`; the rest of its environment is the walkthrough's matter. */
  bridgeFor(url: string): { command: string; args: string[] };
  /** The longest that one step may take. */
  stepLimitMs?: number;
  /** Ends it early; what it made is cleaned up then, too. */
  signal?: AbortSignal;
}

/** Returns whether every step did what it says. Does not throw for a step that fails. */
export async function runWalkthrough(options: WalkthroughOptions): Promise<boolean> {
  const { output, bridgeFor, signal, stepLimitMs = defaultStepLimitMs } = options;
  const screen = new Screen(output);
  const startedAt = performance.now();
  const cleanups: (() => unknown)[] = [];
  const ended = new AbortController();
  try {
    const limit = AbortSignal.any([AbortSignal.timeout(totalLimitMs), ...(signal ? [signal] : [])]);
    const stage = await setUp(screen, bridgeFor, { cleanups, limit, ended: ended.signal });
    const done = await runSteps(screen, stage, { limit, stepLimitMs });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (done < steps.length) {
      for (const line of stage.bridge.log) screen.field('bridge:', line);
      const failed = steps[done]?.title;
      screen.line(`\n${screen.paint('red', `Failed at step ${done + 1} of ${steps.length}: ${failed}`)}\n`);
      return false;
    }
    showComparison(screen, stage.timings);
    screen.line(
      `\n${screen.paint('green', `All ${steps.length} steps did what they say, in ${seconds} s.`)}\n`,
    );
    return true;
  } catch (error) {
    screen.line(`\n${screen.paint('red', `The walkthrough could not begin: ${describe(error)}`)}\n`);
    return false;
  } finally {
    // A step that was given up runs on, and must not make anything new while the rest is cleared away.
    ended.abort(new Error('the walkthrough has ended'));
    for (const cleanup of cleanups.reverse()) {
      await Promise.resolve()
        .then(cleanup)
        .catch(() => undefined);
    }
  }
}

/**
 * `cleanups` is filled as things come to be, so that a set-up that fails half-way leaves nothing behind. Only what may
 * hang is left alone when `limit` comes; the rest is waited for, because it may be about to make something.
 */
async function setUp(
  screen: Screen,
  bridgeFor: WalkthroughOptions['bridgeFor'],
  { cleanups, limit, ended }: { cleanups: (() => unknown)[]; limit: AbortSignal; ended: AbortSignal },
): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-bridge-demo-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const notesFile = join(directory, 'notes.json');
  const store = await NotesStore.open(notesFile);
  cleanups.push(() => store.close());
  let service = await startNotesService({ store, handshakeMs });
  cleanups.push(() => service.close());

  const launch = bridgeFor(service.url);
  const env = { MCP_BRIDGE_HOME: join(directory, 'home'), MCP_BRIDGE_DAEMON: 'off' };
  const command: BridgeCommand = { ...launch, env };
  const bridge = new BridgeClient(command);
  cleanups.push(() => bridge.kill());

  screen.heading('mcp-bridge: a hosted MCP service, used as if it were local');
  screen.field('service', `${service.url}, in this process; each handshake takes ${handshakeMs} ms`);
  screen.field('bridge', `node ${launch.args.join(' ')}`);
  screen.field('client', "the MCP SDK's stdio client, launching the bridge as Claude Desktop would");
  screen.line();

  async function connectDirect(): Promise<Client> {
    ended.throwIfAborted();
    const client = new Client({ name: 'direct-client', version: '1.0.0' });
    cleanups.push(() => client.close());
    await client.connect(new StreamableHTTPClientTransport(new URL(service.url)));
    return client;
  }

  return {
    notesFile,
    get service() {
      return service;
    },
    bridge,
    direct: await raceAbort(connectDirect(), limit),
    connectDirect,
    async restartService() {
      ended.throwIfAborted();
      service = await startNotesService({ store, handshakeMs, port: service.port });
      if (ended.aborted) await service.close(); // The clean-up has had the one before.
      return service;
    },
    launchRaw() {
      ended.throwIfAborted();
      const raw = new RawBridge(command);
      cleanups.push(() => raw.kill());
      return raw;
    },
    show: () => undefined,
    timings: { persistent: [], perRequest: [] },
  };
}

/** Returns how many steps did what they say: later ones build on earlier ones, so the first failure is the last step. */
async function runSteps(
  screen: Screen,
  stage: Stage,
  limits: { limit: AbortSignal; stepLimitMs: number },
): Promise<number> {
  for (const [index, { title, heading, run }] of steps.entries()) {
    if (heading) screen.heading(heading);
    const startedAt = performance.now();
    stage.show = (state) => screen.live(title, state);
    screen.live(title);
    try {
      const stepLimit = AbortSignal.any([limits.limit, AbortSignal.timeout(limits.stepLimitMs)]);
      const saw = await raceAbort(run(stage), stepLimit);
      screen.passed(title, performance.now() - startedAt, saw);
    } catch (error) {
      screen.failed(title, performance.now() - startedAt, describe(error));
      for (const later of steps.slice(index + 1)) screen.skipped(later.title);
      return index;
    }
  }
  return steps.length;
}

function showComparison(screen: Screen, { persistent, perRequest }: Stage['timings']): void {
  const row = (name: string, timings: Timings): string[] => {
    return [
      name,
      String(timings.length),
      formatMs(quantile(timings, 0.5)),
      formatMs(quantile(timings, 0.95)),
    ];
  };
  const ratio = (q: number): string => `${Math.round(quantile(perRequest, q) / quantile(persistent, q))} ×`;
  screen.heading(`What a call costs when a handshake takes ${handshakeMs} ms`);
  screen.table(
    ['search_notes', 'calls', 'p50', 'p95'],
    [
      row('one persistent session, through the bridge', persistent),
      row('a new session for every request, without it', perRequest),
      ['ratio', '', ratio(0.5), ratio(0.95)],
    ],
  );
}

function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    // Also where it has been given up: its failure, which nobody waits for then, must not end the process.
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'It did not come to an end in time.';
  return error.message;
}
