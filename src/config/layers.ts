// The two config files together: the user's, and the one that an administrator may have put at the system's own place, with what is
// locked there. Owns which profile has which values; the order of precedence among all places is in sources.ts.

import type { Paths } from '../platform/paths.ts';
import { ConfigError, readConfigText, section, type Values } from './config-file.ts';
import { checkKeys, FILE_KEYS, PROFILE_KEYS } from './config-keys.ts';
import { nearest } from './nearest.ts';
import { parseUrl } from './service-url.ts';

export type ConfigPlaces = Pick<Paths, 'configFile' | 'managedConfigFile'>;

export interface Layers {
  readonly places: ConfigPlaces;
  readonly user: Values;
  readonly managed: Values;
  /** As they stand there: a setting, `profiles.NAME` or `profiles.NAME.KEY`. */
  readonly locked: ReadonlySet<string>;
}

/** What each file says of one profile. Keys of the user's go before the same keys of the other. */
export interface ProfileLayers {
  readonly user: Values;
  readonly managed: Values;
}

const PROFILES = 'profiles';

/** @throws ConfigError: a managed file that cannot be read must not be passed over, for it may hold locks */
export function readLayers(places: ConfigPlaces): Layers {
  const { configFile, managedConfigFile } = places;
  const user = readConfigText(configFile).values;
  checkKeys(user, FILE_KEYS, configFile);
  const { locked, ...managed } = readConfigText(managedConfigFile).values;
  checkKeys(managed, FILE_KEYS, managedConfigFile);
  const layers = { places, user, managed, locked: new Set<string>() };
  // Also where no profile is asked for: what is wrong there is better known now.
  profileNamesIn(layers);
  return { ...layers, locked: readLocks(locked, layers) };
}

/** The names of all profiles, the user's first. @throws ConfigError */
export function profileNamesIn({ user, managed, places }: Layers): string[] {
  const names = [
    ...Object.keys(profilesIn(user, places.configFile)),
    ...Object.keys(profilesIn(managed, places.managedConfigFile)),
  ];
  return [...new Set(names)];
}

/** Undefined where there is none of that name. @throws ConfigError */
export function profileIn(layers: Layers, name: string): ProfileLayers | undefined {
  const { user, managed, places } = layers;
  const ofUser = entryOf(profilesIn(user, places.configFile), name);
  const ofManaged = entryOf(profilesIn(managed, places.managedConfigFile), name);
  if (ofUser === undefined && ofManaged === undefined) return undefined;
  if (layers.locked.has(lockName(name))) return { user: {}, managed: ofManaged ?? {} };
  return { user: ofUser ?? {}, managed: ofManaged ?? {} };
}

/** As it is asked for; undefined where it is none. @throws ConfigError */
export function profileUrl(layers: Layers, name: string): string | undefined {
  const found = profileIn(layers, name);
  const url = found?.user['url'] ?? found?.managed['url'];
  return typeof url === 'string' && URL.canParse(url) ? parseUrl(url).href : undefined;
}

/** As `locked` names it. */
function lockName(profile: string, key?: string): string {
  return [PROFILES, profile, ...(key === undefined ? [] : [key])].join('.');
}

/** Whether an administrator has locked a profile's key. */
export function isProfileKeyLocked({ locked }: Layers, profile: string, key: string): boolean {
  return locked.has(lockName(profile)) || locked.has(lockName(profile, key));
}

function profilesIn(file: Values, where: string): Values {
  return section(file[PROFILES], `"${PROFILES}" in ${where}`);
}

function entryOf(profiles: Values, name: string): Values | undefined {
  if (!Object.hasOwn(profiles, name)) return undefined;
  const entry = section(profiles[name], `profile "${name}"`);
  checkKeys(entry, PROFILE_KEYS, `profile "${name}"`);
  return entry;
}

function readLocks(locked: unknown, { managed, places }: Layers): ReadonlySet<string> {
  if (locked === undefined || locked === false) return new Set();
  const where = places.managedConfigFile;
  const profiles = Object.keys(profilesIn(managed, where));
  const settings = Object.keys(managed).filter((key) => key !== PROFILES);
  if (locked === true) return new Set([...settings, ...profiles.map((name) => lockName(name))]);
  const known = [
    ...settings,
    ...profiles.flatMap((name) => {
      const keys = Object.keys(entryOf(profilesIn(managed, where), name) ?? {});
      return [lockName(name), ...keys.map((key) => lockName(name, key))];
    }),
  ];
  if (!Array.isArray(locked))
    throw new ConfigError(`"locked" in ${where} must be true, or a list of what is locked.`);
  for (const name of locked as unknown[]) {
    if (typeof name === 'string' && known.includes(name)) continue;
    const hint = typeof name === 'string' ? nearest(name, known) : undefined;
    throw new ConfigError(
      `"locked" in ${where} names ${JSON.stringify(name)}, which has no value there.${hint === undefined ? '' : ` Did you mean "${hint}"?`}`,
    );
  }
  return new Set(locked as string[]);
}
