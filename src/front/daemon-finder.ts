// Finds the daemon, or starts it, and attaches. Where there can be none, says why. All of it within a few seconds.

import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { NETWORK_VARIABLES, type Launch } from '../platform/attach-protocol.ts';
import { sleep, type Clock } from '../platform/clock.ts';
import { daemonExitText } from '../platform/daemon-exit.ts';
import type { DetachedProcess } from '../platform/detached.ts';
import { daemonSecretFile, daemonSocket, daemonSocketDir, type Paths } from '../platform/paths.ts';
import { isPrivateDir } from '../platform/private-dir.ts';
import { attach, type Attached } from './attach.ts';

export interface FinderOptions {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly paths: Paths;
  readonly version: string;
  readonly clock: Clock;
  /** Starts a daemon in the background. */
  readonly start: () => DetachedProcess;
}

export type Found =
  | Extract<Attached, { kind: 'attached' }>
  | { readonly kind: 'refused'; readonly message: string }
  /** No daemon serves this front; the reason continues "because …". */
  | { readonly kind: 'none'; readonly reason: string };

/** How long finding may take in all, in milliseconds. */
const LIMIT_MS = 5000;
/** A daemon that was started is looked for this often, in milliseconds; less often after a while. */
const LOOK_EVERY_MS = 8;
const LOOK_SELDOM_MS = 40;
const SELDOM_AFTER_MS = 500;
/**
 * One that was killed, or ended because another was there that still cannot be reached, is started again; not sooner than this
 * after its start, in milliseconds.
 */
const START_AGAIN_MS = 400;
const MAX_NEEDS = 3;

export class DaemonFinder {
  readonly #options: FinderOptions;
  readonly #launchEnv: Record<string, string | null>;

  constructor(options: FinderOptions) {
    this.#options = options;
    const { env, argv } = options;
    const own = Object.entries(env).filter(([name]) => name.startsWith('MCP_BRIDGE_'));
    this.#launchEnv = Object.fromEntries(own.map(([name, value]) => [name, value ?? null]));
    for (const name of NETWORK_VARIABLES) if (env[name] !== undefined) this.#bring(name);
    for (const argument of argv) {
      const variable = /^(?:--header=)?[^=]+=env:(.+)$/s.exec(argument)?.[1];
      if (variable !== undefined) this.#bring(variable);
    }
  }

  /** Never rejects. */
  async find(): Promise<Found> {
    const { clock, start } = this.#options;
    const startedAt = clock.now();
    let child: DetachedProcess | undefined;
    let startAgainAt = 0;
    let needs = 0;
    for (;;) {
      const spentMs = clock.now() - startedAt;
      const tried = await this.#try(Math.max(LOOK_SELDOM_MS, LIMIT_MS - spentMs));
      switch (tried.kind) {
        case 'attached':
        case 'refused':
          return tried;
        case 'unfit':
          return { kind: 'none', reason: `the background process does not serve it: ${tried.reason}` };
        case 'needs':
          needs += 1;
          if (needs > MAX_NEEDS) return { kind: 'none', reason: 'the background process wants ever more' };
          for (const name of tried.variables) this.#bring(name);
          continue;
        case 'absent':
      }
      if (child?.error !== undefined)
        return { kind: 'none', reason: `no background process can be started (${child.error.message})` };
      if (child?.exitCode !== undefined && child.exitCode > 0)
        return {
          kind: 'none',
          reason: `no background process can run here: ${daemonExitText(child.exitCode)}`,
        };
      const pauseMs = spentMs < SELDOM_AFTER_MS ? LOOK_EVERY_MS : LOOK_SELDOM_MS;
      // With no time left for another try, what this one met is the reason.
      if (clock.now() - startedAt + 2 * pauseMs >= LIMIT_MS) {
        const met = child?.exitCode === -1 ? 'the last one was killed as it started' : tried.reason;
        return { kind: 'none', reason: `no background process answers (${met})` };
      }
      if (child === undefined || (child.exitCode !== undefined && clock.now() >= startAgainAt)) {
        child = start();
        startAgainAt = clock.now() + START_AGAIN_MS;
      }
      await sleep(clock, pauseMs);
    }
  }

  #bring(variable: string): void {
    const value = this.#options.env[variable] ?? null;
    // Node.js takes it from where it was started, which is not where the daemon was.
    this.#launchEnv[variable] = variable === 'NODE_EXTRA_CA_CERTS' && value !== null ? resolve(value) : value;
  }

  async #try(limitMs: number): Promise<Attached> {
    const { argv, paths, version, clock } = this.#options;
    const dir = daemonSocketDir(paths);
    // Else somebody else could listen there, and be told secrets.
    if (dir !== undefined && !isPrivateDir(dir)) return { kind: 'absent', reason: `${dir} is not private` };
    let secret: string;
    try {
      secret = readFileSync(daemonSecretFile(paths), 'latin1');
    } catch (error) {
      return { kind: 'absent', reason: String((error as NodeJS.ErrnoException).code) };
    }
    const launch: Launch = { argv, env: this.#launchEnv };
    return attach({ socket: daemonSocket(paths), secret, version, launch, clock, limitMs });
  }
}

export interface Runtime {
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly execPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pkg?: unknown;
}

/** Why a program like this one cannot start a daemon; undefined where it can. */
export function whyNoDaemon({ versions, execPath, env, pkg }: Runtime): string | undefined {
  // Their executable starts an application, or needs a variable to be Node.js at all.
  if (versions['electron'] !== undefined || env['ELECTRON_RUN_AS_NODE'] !== undefined)
    return 'it runs inside an Electron application';
  if (pkg !== undefined || !/^node/i.test(basename(execPath.replaceAll('\\', '/'))))
    return `${execPath} is not a plain Node.js`;
  return undefined;
}
