// What `mcp-bridge run` does: it relays between its client and the daemon. Its load time is the client's waiting time, so it brings
// along only what attaching to the daemon takes; the bridge itself is loaded where there can be no daemon.

import { join } from 'node:path';
import { keepAlive, launchClock, nextTurn } from '../platform/clock.ts';
import { startDetached } from '../platform/detached.ts';
import { resolvePaths } from '../platform/paths.ts';
import { systemRng } from '../platform/random.ts';
import { DaemonFinder, whyNoDaemon } from './daemon-finder.ts';
import type { InProcessBridge } from './in-process.ts';
import type { Refused } from './link.ts';
import { Relay } from './relay.ts';

declare const __VERSION__: string;

const EXIT_USAGE = 2;

/** Runs until the client goes, then resolves with the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const { env } = process;
  const paths = resolvePaths(env);
  const tell = (message: string): void => {
    // A closed stderr is nobody's loss.
    process.stderr.on('error', () => {}).write(`mcp-bridge: ${message}\n`);
  };
  const isOff = env['MCP_BRIDGE_DAEMON'] === 'off';
  const why = isOff ? undefined : whyNoDaemon(process);
  if (isOff || why !== undefined) {
    if (why !== undefined) tell(`bridging in this process, because ${why}.`);
    return (await import('./in-process.ts')).run(argv, why ?? 'MCP_BRIDGE_DAEMON is off');
  }

  const finder = new DaemonFinder({
    argv,
    env,
    paths,
    version: __VERSION__,
    clock: launchClock,
    start: () => startDetached(join(import.meta.dirname, 'daemon.cjs'), env),
  });
  // The daemon is asked in this turn; stdin, stdout and the relay are made while it answers.
  let first: ReturnType<DaemonFinder['find']> | undefined = finder.find();
  const release = keepAlive();
  await nextTurn();
  let local: InProcessBridge | undefined;
  let toldLast: string | undefined;
  const refused = (message: string): Refused => {
    if (message !== toldLast) tell(message);
    toldLast = message;
    return { failure: { code: 'ERR_CONFIG_INVALID', message }, exitCode: EXIT_USAGE };
  };
  const relay = new Relay({
    input: process.stdin,
    output: process.stdout,
    clock: launchClock,
    rng: systemRng,
    open: async () => {
      const found = await (first ?? finder.find());
      first = undefined;
      if (found.kind === 'attached') return found;
      if (found.kind === 'none') tell(`bridging in this process, because ${found.reason}.`);
      try {
        if (found.kind === 'refused') return refused(found.message);
        local = (await import('./in-process.ts')).openInProcess(argv, found.reason);
        return local;
      } catch (error) {
        return refused(error instanceof Error ? error.message : String(error));
      }
    },
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => relay.stop());
  const code = await relay.run();
  // What was not read by then would keep the bridge from coming to the end of its input.
  local?.stream.removeAllListeners('data').resume();
  await local?.close();
  release();
  return code;
}
