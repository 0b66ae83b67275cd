// Reads what a front sends behind its request to attach: what its client launched, and what that means here.

import type { Duplex } from 'node:stream';
import { ConfigError, resolveRun, type Resolved } from '../config/resolve.ts';
import type { ConfigPlaces } from '../config/layers.ts';
import { parseRunArguments } from '../config/run-arguments.ts';
import { NETWORK_VARIABLES, type Launch } from '../platform/attach-protocol.ts';
import type { Clock } from '../platform/clock.ts';

const MAX_LAUNCH_BYTES = 256 * 1024;
const LIMIT_MS = 5000;
const LF = 0x0a;

/** The line, with what came behind it put back; undefined where it does not come in time or is too long. */
export function readLaunchLine(socket: Duplex, head: Buffer, clock: Clock): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let bytes = head;
    const timer = clock.after(LIMIT_MS, () => settle(undefined));
    const look = (): void => {
      const end = bytes.indexOf(LF);
      if (end < 0) {
        if (bytes.length > MAX_LAUNCH_BYTES) settle(undefined);
        return;
      }
      socket.pause();
      if (end + 1 < bytes.length) socket.unshift(bytes.subarray(end + 1));
      settle(bytes.subarray(0, end));
    };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      look();
    };
    const onGone = (): void => settle(undefined);
    const settle = (line: Buffer | undefined): void => {
      timer.cancel();
      socket.off('data', onData).off('end', onGone).off('close', onGone);
      resolve(line);
    };
    socket.on('data', onData).on('end', onGone).on('close', onGone);
    look();
  });
}

export type LaunchVerdict =
  | { readonly kind: 'resolved'; readonly resolved: Resolved }
  /** It must bring these variables along. */
  | { readonly kind: 'needs'; readonly variables: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string };

export function resolveLaunch(line: Buffer, places: ConfigPlaces): LaunchVerdict {
  const launch = parseLaunch(line);
  if (launch === undefined) return { kind: 'refused', message: 'The launch is not what a front sends.' };
  const missing = new Set<string>();
  const env = new Proxy(launch.env, {
    get(own, name) {
      if (typeof name !== 'string') return undefined;
      const isBrought = name.startsWith('MCP_BRIDGE_') || NETWORK_VARIABLES.includes(name);
      if (!Object.hasOwn(own, name) && !isBrought) missing.add(name);
      return Object.hasOwn(own, name) ? (own[name] ?? undefined) : undefined;
    },
  }) as Readonly<Record<string, string | undefined>>;
  try {
    return { kind: 'resolved', resolved: resolveRun(parseRunArguments(launch.argv), env, places) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (missing.size > 0) return { kind: 'needs', variables: [...missing] };
    return { kind: 'refused', message: error.message };
  }
}

/** What was resolved once, by the config files as they are now. @throws ConfigError */
export function resolveAgain(line: Buffer, places: ConfigPlaces): Resolved {
  const verdict = resolveLaunch(line, places);
  if (verdict.kind === 'resolved') return verdict.resolved;
  throw new ConfigError(
    verdict.kind === 'refused'
      ? verdict.message
      : `The profile takes values from ${verdict.variables.join(', ')}, which the launch did not bring along.`,
  );
}

function parseLaunch(line: Buffer): Launch | undefined {
  try {
    const { argv, env } = JSON.parse(line.toString()) as Partial<Launch>;
    const isSound =
      Array.isArray(argv) &&
      argv.every((item) => typeof item === 'string') &&
      typeof env === 'object' &&
      env !== null &&
      Object.values(env).every((value) => value === null || typeof value === 'string');
    return isSound ? { argv, env } : undefined;
  } catch {
    return undefined;
  }
}
