// Puts the daemon together: the session, the store and the clock that its clients' bridges work with, and the signals that end it.

import process from 'node:process';
import { openStore } from '../auth/store/open-store.ts';
import { SignInPages } from '../auth/sign-in-pages.ts';
import { TokenSources } from '../auth/token-sources.ts';
import { clientKind } from '../bridge/client-kind.ts';
import { systemClock } from '../platform/clock.ts';
import { DAEMON_EXITS } from '../platform/daemon-exit.ts';
import { knownAnswersFile } from '../platform/known-answers-file.ts';
import { compileForRequests, sweepBehindBuffers, tidyWhenQuiet } from '../platform/memory.ts';
import { daemonSocket, type Paths } from '../platform/paths.ts';
import { systemRng } from '../platform/random.ts';
import { watchForWake } from '../platform/wake.ts';
import { Observatory } from '../observe/observatory.ts';
import { poolReport } from '../observe/pool-report.ts';
import { Pool } from '../pool/pool.ts';
import { Daemon } from './daemon.ts';

declare const __VERSION__: string;

export interface ServeOptions {
  readonly paths: Paths;
  readonly secret: string;
  readonly releaseLock: () => void;
}

/** Serves until it is no longer needed; resolves with the exit code. */
export async function serve({ paths, secret, releaseLock }: ServeOptions): Promise<number> {
  const observatory = new Observatory({
    clock: systemClock,
    mode: 'daemon',
    version: __VERSION__,
    logLevel: 'info',
    stateDir: paths.stateDir,
  });
  compileForRequests();
  const noteWork = tidyWhenQuiet(systemClock);
  const noteBytes = sweepBehindBuffers();
  observatory.hub.subscribe(({ event }) => {
    if (event.type !== 'request.settled') return;
    noteWork();
    noteBytes(event.bytes ?? 0);
  });
  const store = openStore(paths, process.env);
  const signIns = new TokenSources({ paths, store, clock: systemClock, rng: systemRng });
  const pages = new SignInPages({ paths, store, clock: systemClock, env: process.env, sources: signIns });
  const pool = new Pool({
    clock: systemClock,
    rng: systemRng,
    observerFor: (labels) => observatory.observerFor(labels),
    credentialsFor: (profile, settings) =>
      signIns.sourceFor(profile, settings, observatory.observerFor({ profile: profile.name })),
  });
  const daemon = new Daemon({
    socketPath: daemonSocket(paths),
    secret,
    version: __VERSION__,
    configPlaces: paths,
    clock: systemClock,
    rng: systemRng,
    releaseLock,
    control: {
      status: () => observatory.status(),
      metricsText: () => observatory.metricsText(),
      streamEvents: (output) => observatory.streamEvents(output),
      poolStats: () => poolReport(pool.stats(), systemClock.wallTime()),
      poolCleanup: () => ({ ended: pool.cleanup() }),
      resetSession: (id) => pool.reset(id),
    },
    observerFor: (labels) => observatory.observerFor(labels),
    onLogLevel: (level) => {
      observatory.logLevel = level;
    },
    openSession: ({ profile, settings }, client) => pool.lease({ ...client, profile, settings }),
    closeSessions: async (signal) => {
      await Promise.all([pool.close(signal), pages.close(signal)]);
      await signIns.close(signal);
    },
    offerSignIn: ({ profile, settings, observer }, want) => pages.offer(profile, settings, observer, want),
    openStore: ({ profile }, initialize) => {
      const headers = Object.keys(profile.headers).toSorted();
      return knownAnswersFile(paths.cacheDir, [profile.url.href, ...headers, clientKind(initialize)]);
    },
  });
  // The last resort: what goes wrong in one client's conversation must not end those of the others.
  process.on('uncaughtException', (error) => daemon.noteFault(error));
  process.on('unhandledRejection', (reason) => daemon.noteFault(reason));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void daemon.end(signal));
  // The terminal of the client that happened to start it is no concern of its.
  process.on('SIGHUP', () => {});
  try {
    await daemon.listen();
  } catch (error) {
    process.stderr.write(`mcp-bridge: ${error instanceof Error ? error.message : String(error)}\n`);
    return DAEMON_EXITS.socket.code;
  }
  watchForWake(systemClock, (why) => pool.checkNow(why));
  await daemon.ended;
  await observatory.close();
  return 0;
}
