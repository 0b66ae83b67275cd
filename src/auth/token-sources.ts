// The token sources of this process, one a service, and the watch over the store that tells them when a person has signed in or out
// in another process.

import { mkdirSync, watch, type FSWatcher } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { unlessAborted, type Clock, type Timer } from '../platform/clock.ts';
import type { Signal } from '../platform/abort.ts';
import { fetchFor } from '../platform/network/fetch.ts';
import type { Paths } from '../platform/paths.ts';
import type { Rng } from '../platform/random.ts';
import type { Profile } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { Observer } from '../observe/events.ts';
import type { Renew } from './renewing.ts';
import { recordFiles } from './store/places.ts';
import { storeKey, type SignInStore } from './store/store.ts';
import { TokenSource } from './token-source.ts';

/** Not every file system tells of changes, so where somebody waits for one it is looked for, this often, in milliseconds. */
const LOOK_EVERY_MS = 1000;
/** A change comes as several. */
const SETTLE_MS = 50;

export interface TokenSourcesOptions {
  readonly paths: Pick<Paths, 'stateDir'>;
  readonly store: SignInStore;
  readonly clock: Clock;
  readonly rng: Rng;
}

export class TokenSources {
  readonly #options: TokenSourcesOptions;
  readonly #sources = new Map<string, TokenSource>();
  /** How the latest launch goes to each service: the network may be another one than that of the first. */
  readonly #ways = new Map<string, Way>();
  #watcher: FSWatcher | undefined;
  #settling: Timer | undefined;
  #isClosed = false;

  constructor(options: TokenSourcesOptions) {
    this.#options = options;
  }

  /**
   * Undefined where the profile has an Authorization of its own, which goes first.
   * @param observer hears of the sign-in's changes; the last one for each profile
   */
  sourceFor(profile: Profile, settings: Settings, observer: Observer): TokenSource | undefined {
    if (profile.headers['authorization'] !== undefined) return undefined;
    const { store, clock, rng } = this.#options;
    const key = storeKey(profile.url);
    this.#ways.set(key, { profile, settings });
    let source = this.#sources.get(key);
    if (source === undefined) {
      const { host } = profile.url;
      const loginTarget = loginTargetOf(profile);
      source = new TokenSource({
        key,
        host,
        loginTarget,
        store,
        renew: lazyRenewal(() => this.#ways.get(key) ?? { profile, settings }, clock),
        clock,
        rng,
      });
      this.#sources.set(key, source);
      if (this.#sources.size === 1) this.#watch();
    }
    source.observe(profile.name, observer);
    return source;
  }

  /** Whether a sign-in would help now: not where one has come about since the call that wants it. */
  isWanted({ url }: Profile, code: 'ERR_AUTH_REQUIRED' | 'ERR_AUTH_SCOPE'): boolean {
    const source = this.#sources.get(storeKey(url));
    if (source === undefined || source.look()) return false;
    return code === 'ERR_AUTH_SCOPE' || source.isNeeded;
  }

  /** Waits for renewals under way, as far as `signal` leaves time for it. */
  async close(signal: Signal): Promise<void> {
    this.#isClosed = true;
    this.#settling?.cancel();
    this.#watcher?.close();
    await unlessAborted(Promise.all([...this.#sources.values()].map((source) => source.settled())), signal);
  }

  #watch(): void {
    const { markerDir } = recordFiles(this.#options.paths, '');
    try {
      mkdirSync(markerDir, { recursive: true, mode: 0o700 });
      this.#watcher = watch(markerDir, { persistent: false }, () => this.#lookSoon());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Looking from time to time has to do.
    }
    this.#lookFromTimeToTime();
  }

  #lookSoon(): void {
    this.#settling?.cancel();
    this.#settling = this.#options.clock.after(SETTLE_MS, () => {
      for (const source of this.#sources.values()) source.look();
    });
  }

  #lookFromTimeToTime(): void {
    this.#options.clock.after(LOOK_EVERY_MS, () => {
      if (this.#isClosed) return;
      for (const source of this.#sources.values()) if (source.isNeeded) source.look();
      this.#lookFromTimeToTime();
    });
  }
}

interface Way {
  readonly profile: Profile;
  readonly settings: Settings;
}

/** What renewing takes is loaded when there is something to renew, and made anew where the way has changed. */
function lazyRenewal(wayNow: () => Way, clock: Clock): Renew {
  let made: { readonly parts: unknown; readonly renew: Renew } | undefined;
  return async (signIn) => {
    const { profile, settings } = wayNow();
    const { allowHttp, connectTimeoutMs } = settings;
    const parts = { network: profile.network, allowHttp, connectTimeoutMs };
    if (made === undefined || !isDeepStrictEqual(made.parts, parts)) {
      const { createRenewal } = await import('./renewal.ts');
      const fetch = fetchFor(profile.network, connectTimeoutMs);
      made = { parts, renew: createRenewal({ service: profile.url, allowHttp, clock, fetch }) };
    }
    return made.renew(signIn);
  };
}

/** A profile that was made from a URL is named after its host, which `login` would take for a profile's name. */
function loginTargetOf({ name, url }: Profile): string {
  return name === url.host ? url.origin + url.pathname : name;
}
