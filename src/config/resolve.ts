// Decides what a launch works with: which service, which headers, and each setting's value. The order of the places that may say so
// is in sources.ts.

import type { Network } from '../platform/network/network.ts';
import { ConfigError, section } from './config-file.ts';
import type { Settings } from './settings.ts';
import { parseHeaders, tokenHeader } from './headers.ts';
import {
  isProfileKeyLocked,
  profileIn,
  profileNamesIn,
  readLayers,
  type ConfigPlaces,
  type Layers,
} from './layers.ts';
import { networkOf } from './network.ts';
import { nearest } from './nearest.ts';
import { checkScheme, parseUrl } from './service-url.ts';
import { settingSources } from './sources.ts';

export { ConfigError } from './config-file.ts';

export interface Profile {
  readonly name: string;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** How it is reached, where that is anything but directly. */
  readonly network?: Network;
}

export interface Resolved {
  readonly profile: Profile;
  readonly settings: Settings;
}

export interface RunArguments {
  readonly target: string;
  /** Flags by their names without dashes, as in `request-timeout-ms`. */
  readonly flags: Readonly<Record<string, string | boolean>>;
  /** As given to --header: `NAME=env:VARIABLE`. */
  readonly headers: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError */
export function resolveRun(args: RunArguments, env: Environment, places: ConfigPlaces): Resolved {
  const layers = readLayers(places);
  const { profile: chosen, lockedHeaders } = chooseProfile(args.target, layers, env);
  const asked = { flags: args.flags, env, profile: isUrl(args.target) ? undefined : args.target };
  const sourced = settingSources(layers, asked).map(({ name, value }) => [name, value]);
  // The table and the type of Settings are made from the same rows.
  const settings = Object.fromEntries(sourced) as Settings;
  checkScheme(chosen.url, settings.allowHttp);
  const headers = {
    ...tokenHeader(env),
    ...chosen.headers,
    ...parseHeaders(args.headers, env),
    ...lockedHeaders,
  };
  const network = networkOf(settings, env, chosen.url);
  return {
    profile: { ...chosen, headers, ...(network === undefined ? undefined : { network }) },
    settings,
  };
}

/** The names of all profiles. @throws ConfigError */
export function profileNames(places: ConfigPlaces): string[] {
  return profileNamesIn(readLayers(places));
}

/** Whether it is the address of a service, not the name of a profile. */
export function isUrl(target: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(target);
}

interface Chosen {
  readonly profile: Profile;
  /** What an administrator has locked, so that no flag changes it. */
  readonly lockedHeaders: Readonly<Record<string, string>>;
}

function chooseProfile(target: string, layers: Layers, env: Environment): Chosen {
  if (isUrl(target)) {
    const url = parseUrl(target);
    return { profile: { name: url.host, url, headers: {} }, lockedHeaders: {} };
  }
  const found = profileIn(layers, target);
  const where = layers.places.configFile;
  if (found === undefined) {
    const hint = nearest(target, profileNamesIn(layers));
    throw new ConfigError(
      `There is no profile "${target}" in ${where}.${hint === undefined ? '' : ` Did you mean "${hint}"?`} ` +
        'Give the URL of a service (https://…), or add the profile there.',
    );
  }
  const isLocked = (key: string): boolean => isProfileKeyLocked(layers, target, key);
  const { user, managed } = found;
  const url = (isLocked('url') ? undefined : user['url']) ?? managed['url'];
  if (typeof url !== 'string') throw new ConfigError(`Profile "${target}" in ${where} has no "url".`);
  const headersOf = (values: typeof user): Record<string, string> => {
    const pairs = Object.entries(section(values['headers'], `"headers" of profile "${target}"`));
    return parseHeaders(
      pairs.map(([name, value]) => `${name}=${String(value)}`),
      env,
    );
  };
  const ofManaged = headersOf(managed);
  const headers = { ...ofManaged, ...headersOf(user) };
  return {
    profile: { name: target, url: parseUrl(url), headers },
    lockedHeaders: isLocked('headers') ? ofManaged : {},
  };
}
