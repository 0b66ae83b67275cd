// Puts the daemon together: the session, the store and the clock that its clients' bridges work with, and the signals that end it.

import process from 'node:process';
import { clientKind } from '../bridge/client-kind.ts';
import { systemClock } from '../platform/clock.ts';
import { DAEMON_EXITS } from '../platform/daemon-exit.ts';
import { knownAnswersFile } from '../platform/known-answers-file.ts';
import { tidyWhenQuiet } from '../platform/memory.ts';
import { daemonSocket, type Paths } from '../platform/paths.ts';
import { systemRng } from '../platform/random.ts';
import { watchForWake } from '../platform/wake.ts';
import { Session } from '../upstream/session.ts';
import { simpleControl } from './control.ts';
import { Daemon } from './daemon.ts';

declare const __VERSION__: string;

export interface ServeOptions {
  readonly paths: Paths;
  readonly secret: string;
  readonly releaseLock: () => void;
}

/** Serves until it is no longer needed; resolves with the exit code. */
export async function serve({ paths, secret, releaseLock }: ServeOptions): Promise<number> {
  const noteWork = tidyWhenQuiet(systemClock);
  const daemon = new Daemon({
    socketPath: daemonSocket(paths),
    secret,
    version: __VERSION__,
    configFile: paths.configFile,
    clock: systemClock,
    rng: systemRng,
    releaseLock,
    control: simpleControl(),
    observerFor: () => (event) => {
      if (event.type === 'request.settled') noteWork();
    },
    // One session a client, until clients share them.
    openSession: (client, parts) => new Session({ ...client, ...parts, clock: systemClock, rng: systemRng }),
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
  watchForWake(systemClock, (why) => daemon.checkNow(why));
  await daemon.ended;
  return 0;
}
