// `mcp-bridge run <url|profile>`: what a client launches. Bridges its stdin and stdout to the service until the client goes.
// Loads little, because its load time is the client's waiting time.

import { parseArgs } from 'node:util';
import { Bridge } from '../bridge/bridge.ts';
import { clientKind } from '../bridge/client-kind.ts';
import { ConfigError, resolveRun, type RunArguments } from '../config/resolve.ts';
import { nearest } from '../config/nearest.ts';
import { SETTINGS, flagName } from '../config/settings.ts';
import type { Observer } from '../observe/events.ts';
import { stderrLog } from '../observe/stderr-log.ts';
import { keepAlive, systemClock } from '../platform/clock.ts';
import { sweepBehindLargeMessages, tidyWhenQuiet } from '../platform/memory.ts';
import { resolvePaths } from '../platform/paths.ts';
import { systemRng } from '../platform/random.ts';
import { knownAnswersFile } from '../platform/known-answers-file.ts';
import { watchForWake } from '../platform/wake.ts';
import { Session } from '../upstream/session.ts';

const USAGE =
  'Usage: mcp-bridge run <url|profile> [--header NAME=env:VARIABLE]… [--allow-http] [--<setting> VALUE]…';
/** What ending may take, in milliseconds; the promise is 2 s. */
const SHUTDOWN_MS = 1500;
const EXIT_USAGE = 2;

/** Runs until the client goes, then resolves with the exit code. Never rejects for what a client or service does. */
export async function run(argv: readonly string[]): Promise<number> {
  const { env, stdin, stdout, stderr } = process;
  let resolved: ReturnType<typeof resolveRun>;
  const paths = resolvePaths(env);
  try {
    resolved = resolveRun(parseRunArguments(argv), env, paths.configFile);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stderr.write(`mcp-bridge: ${error.message}\n`);
    return EXIT_USAGE;
  }
  const { profile, settings } = resolved;
  const log = stderrLog(settings.logLevel, systemClock.wallTime, (line) => stderr.write(line));
  const noteWork = tidyWhenQuiet(systemClock);
  const noteBytes = sweepBehindLargeMessages();
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
  const bridge = new Bridge({
    ...shared,
    input: stdin,
    output: stdout,
    serviceHost: profile.url.host,
    openSession: (parts) => new Session({ ...shared, ...parts, profile }),
    openStore: (initialize) => {
      const headers = Object.keys(profile.headers).toSorted();
      return knownAnswersFile(paths.cacheDir, [profile.url.href, ...headers, clientKind(initialize)]);
    },
  });
  const stopWatching = watchForWake(systemClock, (why) => bridge.checkNow(why));
  const release = keepAlive();
  const reason = await Promise.race([bridge.run(), signalled(['SIGTERM', 'SIGINT', 'SIGHUP'])]);

  const limit = new AbortController();
  systemClock.after(SHUTDOWN_MS, () => limit.abort());
  const timeUp = new Promise<void>((resolve) => limit.signal.addEventListener('abort', () => resolve()));
  await Promise.race([bridge.close(limit.signal), timeUp]);
  stopWatching();
  release();
  observer({ type: 'bridge.closed', reason });
  return 0;
}

function signalled(signals: readonly NodeJS.Signals[]): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve(signal));
  });
}

/** @throws ConfigError */
function parseRunArguments(argv: readonly string[]): RunArguments {
  const names = Object.entries(SETTINGS).map(([name, spec]) => [flagName(name), spec.type] as const);
  const options = Object.fromEntries(
    names.map(([name, type]) => [
      name,
      { type: type === 'switch' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options: { ...options, header: { type: 'string', multiple: true } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const known = [...names.map(([name]) => name), 'header'];
    if (!known.includes(token.name)) {
      const hint = nearest(token.name, known);
      throw new ConfigError(
        `Unknown option ${token.rawName}.${hint === undefined ? '' : ` Did you mean --${hint}?`}\n${USAGE}`,
      );
    }
    const takesValue = options[token.name]?.type !== 'boolean';
    if (takesValue && token.value === undefined)
      throw new ConfigError(`${token.rawName} needs a value.\n${USAGE}`);
  }
  const [target, extra] = positionals;
  if (target === undefined)
    throw new ConfigError(`Which service? Give its URL or the name of a profile.\n${USAGE}`);
  if (extra !== undefined) throw new ConfigError(`One service at a time: "${extra}" is too much.\n${USAGE}`);
  const { header, ...flags } = values;
  return {
    target,
    flags: flags as Record<string, string | boolean>,
    headers: Array.isArray(header) ? header.filter((item) => typeof item === 'string') : [],
  };
}
