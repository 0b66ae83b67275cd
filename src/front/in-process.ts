// Bridges to the service from this very process, without a daemon: because a person wants it so (MCP_BRIDGE_DAEMON=off), or
// because there can be none. Loaded only then, since it brings the whole HTTP client along.

import process from 'node:process';
import { duplexPair, type Readable, type Writable } from 'node:stream';
import { openStore } from '../auth/store/open-store.ts';
import { SignInPages } from '../auth/sign-in-pages.ts';
import { TokenSources } from '../auth/token-sources.ts';
import { Bridge } from '../bridge/bridge.ts';
import { clientKind } from '../bridge/client-kind.ts';
import { ConfigFollower } from '../config/config-follower.ts';
import { ConfigError, resolveRun, type Resolved } from '../config/resolve.ts';
import { parseRunArguments } from '../config/run-arguments.ts';
import type { Observer } from '../observe/events.ts';
import { stderrLog } from '../observe/stderr-log.ts';
import { keepAlive, systemClock } from '../platform/clock.ts';
import { leaveNote } from '../platform/in-process-note.ts';
import { compileForRequests, sweepBehindBuffers, tidyWhenQuiet } from '../platform/memory.ts';
import { resolvePaths } from '../platform/paths.ts';
import { systemRng } from '../platform/random.ts';
import { knownAnswersFile } from '../platform/known-answers-file.ts';
import { watchForWake } from '../platform/wake.ts';
import { Session } from '../upstream/session.ts';
import type { Opened } from './link.ts';

/** What ending may take, in milliseconds; the promise is 2 s. */
const SHUTDOWN_MS = 1500;
const EXIT_USAGE = 2;

/**
 * Runs until the client goes, then resolves with the exit code. Never rejects for what a client or service does.
 * @param reason why there is no daemon behind it, for `mcp-bridge status`
 */
export async function run(argv: readonly string[], reason: string): Promise<number> {
  const { stdin, stdout, stderr } = process;
  let resolved: Resolved;
  try {
    resolved = resolve(argv);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stderr.write(`mcp-bridge: ${error.message}\n`);
    return EXIT_USAGE;
  }
  const { ended, close } = converse(argv, resolved, reason, stdin, stdout);
  await close(await Promise.race([ended, signalled(['SIGTERM', 'SIGINT', 'SIGHUP'])]));
  return 0;
}

/** What is written to its stream is as if read from stdin. */
export interface InProcessBridge extends Opened {
  close(): Promise<void>;
}

/**
 * For a front that has found that it can have no daemon.
 * @throws ConfigError
 */
export function openInProcess(argv: readonly string[], reason: string): InProcessBridge {
  const [clientEnd, bridgeEnd] = duplexPair();
  const resolved = resolve(argv);
  const { ended, close } = converse(argv, resolved, reason, bridgeEnd, bridgeEnd, true);
  const closed = ended.then(async (ending) => {
    await close(ending);
    bridgeEnd.end();
  });
  return {
    stream: clientEnd,
    maxLineBytes: resolved.settings.maxLineBytes,
    timeLimits: resolved.settings,
    isInProcess: true,
    close() {
      clientEnd.end();
      return closed;
    },
  };
}

/** @throws ConfigError */
function resolve(argv: readonly string[]): Resolved {
  const { env } = process;
  return resolveRun(parseRunArguments(argv), env, resolvePaths(env));
}

function converse(
  argv: readonly string[],
  resolved: Resolved,
  noDaemonBecause: string,
  input: Readable,
  output: Writable,
  isBehindFront = false,
): { readonly ended: Promise<string>; readonly close: (reason: string) => Promise<void> } {
  const { env, stderr } = process;
  const paths = resolvePaths(env);
  const config = new ConfigFollower({
    places: paths,
    clock: systemClock,
    onChange: (reason) => observer({ type: 'config.changed', reason }),
  });
  const { profile, settings } = config.follow(resolved, () => resolve(argv));
  const log = stderrLog(settings, systemClock.wallTime, (line) => stderr.write(line));
  compileForRequests();
  const noteWork = tidyWhenQuiet(systemClock);
  const noteBytes = sweepBehindBuffers();
  const observer: Observer = (event) => {
    if (event.type === 'request.settled') {
      noteWork();
      noteBytes(event.bytes ?? 0);
    }
    log(event);
  };
  // A closed stderr is nobody's loss.
  stderr.on('error', () => {});

  const shared = { settings, clock: systemClock, rng: systemRng, observer };
  const store = openStore(paths, env);
  const signIns = new TokenSources({ paths, store, clock: systemClock, rng: systemRng });
  const pages = new SignInPages({ paths, store, clock: systemClock, env, sources: signIns });
  const credentials = signIns.sourceFor(profile, settings, observer);
  const bridge = new Bridge({
    ...shared,
    input,
    output,
    isBehindFront,
    serviceHost: profile.url.host,
    openSession: (parts) => new Session({ ...shared, ...parts, profile, credentials }),
    offerSignIn: (want) => pages.offer(profile, settings, observer, want),
    openStore: (initialize) => {
      const headers = Object.keys(profile.headers).toSorted();
      return knownAnswersFile(paths.cacheDir, [profile.url.href, ...headers, clientKind(initialize)]);
    },
  });
  const stopWatching = watchForWake(systemClock, (why) => bridge.checkNow(why));
  const since = new Date(systemClock.wallTime()).toISOString();
  const takeNote = leaveNote(paths.stateDir, {
    pid: process.pid,
    profile: profile.name,
    reason: noDaemonBecause,
    since,
  });
  const release = keepAlive();
  const close = async (reason: string): Promise<void> => {
    const limit = new AbortController();
    systemClock.after(SHUTDOWN_MS, () => limit.abort());
    const timeUp = new Promise<void>((done) => limit.signal.addEventListener('abort', () => done()));
    await Promise.race([bridge.close(limit.signal), timeUp]);
    await Promise.all([signIns.close(limit.signal), pages.close(limit.signal)]);
    stopWatching();
    config.close();
    takeNote();
    release();
    observer({ type: 'bridge.closed', reason });
  };
  return { ended: bridge.run(), close };
}

function signalled(signals: readonly NodeJS.Signals[]): Promise<string> {
  return new Promise((done) => {
    for (const signal of signals) process.on(signal, () => done(signal));
  });
}
