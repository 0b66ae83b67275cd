// Lets what runs follow the config files: looks at them from time to time, and puts new values of those settings that are safe to change
// into the objects that the bridges work with. A file that is broken for the moment changes nothing.

import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../platform/clock.ts';
import { ConfigError } from './config-file.ts';
import type { ConfigPlaces } from './layers.ts';
import type { Profile, Resolved } from './resolve.ts';
import { isLive, SETTINGS, type SettingName, type Settings } from './settings.ts';

/** Not every file system tells of changes, so they are looked for. In milliseconds. */
const LOOK_EVERY_MS = 2000;

export interface ConfigFollowerOptions {
  readonly places: ConfigPlaces;
  readonly clock: Clock;
  /** @param reason what has changed, and what waits, in words */
  readonly onChange: (reason: string) => void;
}

interface Followed {
  readonly profile: Profile;
  /** The same launch, by the files as they are now. */
  readonly again: () => Resolved;
}

type Mutable = { -readonly [K in keyof Settings]: Settings[K] };

export class ConfigFollower {
  readonly #options: ConfigFollowerOptions;
  /** A session may outlive its client, and a client its session: who holds the settings keeps them followed. */
  readonly #settings = new Set<WeakRef<Settings>>();
  readonly #followed = new WeakMap<Settings, Followed>();
  #seen: string;
  #timer: Timer | undefined;

  constructor(options: ConfigFollowerOptions) {
    this.#options = options;
    this.#seen = signatureOf(options.places);
    this.#schedule();
  }

  /** The same, with settings that change from now on. */
  follow(resolved: Resolved, again: () => Resolved): Resolved {
    const settings = { ...resolved.settings };
    // A daemon sees many launches between two changes of a file.
    for (const reference of this.#settings)
      if (reference.deref() === undefined) this.#settings.delete(reference);
    this.#settings.add(new WeakRef(settings));
    this.#followed.set(settings, { profile: resolved.profile, again });
    return { ...resolved, settings };
  }

  close(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#schedule();
      const seen = signatureOf(this.#options.places);
      if (seen === this.#seen) return;
      this.#seen = seen;
      this.#reload();
    });
  }

  #reload(): void {
    const taken = new Set<string>();
    const waiting = new Set<string>();
    let trouble: string | undefined;
    for (const reference of this.#settings) {
      const settings = reference.deref();
      const followed = settings === undefined ? undefined : this.#followed.get(settings);
      if (settings === undefined || followed === undefined) {
        this.#settings.delete(reference);
        continue;
      }
      try {
        take(settings, followed, taken, waiting);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        trouble = error.message;
      }
    }
    const parts = [
      ...(taken.size === 0 ? [] : [`taken up: ${[...taken].join(', ')}`]),
      ...(waiting.size === 0 ? [] : [`waiting for the next launch: ${[...waiting].join(', ')}`]),
      ...(trouble === undefined ? [] : [`not taken up: ${trouble}`]),
    ];
    if (parts.length > 0) this.#options.onChange(parts.join('; '));
  }
}

/** @throws ConfigError where the launch would be refused now */
function take(
  settings: Mutable,
  { profile, again }: Followed,
  taken: Set<string>,
  waiting: Set<string>,
): void {
  const { profile: newProfile, settings: fresh } = again();
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    if (settings[name] === fresh[name]) continue;
    if (isLive(name)) {
      put(settings, name, fresh[name]);
      taken.add(name);
    } else waiting.add(name);
  }
  if (profile.url.href !== newProfile.url.href) waiting.add('url');
  if (!isDeepStrictEqual(profile.headers, newProfile.headers)) waiting.add('headers');
}

function put<K extends SettingName>(settings: Mutable, name: K, value: Settings[K]): void {
  (settings as Record<K, Settings[K]>)[name] = value;
}

function signatureOf({ configFile, managedConfigFile }: ConfigPlaces): string {
  const signs = [configFile, managedConfigFile].map((path) => {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      return `${mtimeMs} ${size} ${ino}`;
    } catch {
      return '';
    }
  });
  return signs.join('|');
}
