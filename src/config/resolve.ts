// Decides what a launch works with: which service, which headers, and each setting's value, from flags, environment,
// profile and config file, in this order of precedence (first wins).

import type { Network } from '../platform/network/network.ts';
import { ConfigError, readConfigText, section, type Values } from './config-file.ts';
import {
  SETTINGS,
  flagName,
  parseSetting,
  rangeOf,
  variableName,
  type SettingName,
  type SettingSpec,
  type Settings,
} from './settings.ts';
import { checkKeys, FILE_KEYS, PROFILE_KEYS } from './config-keys.ts';
import { parseHeaders, tokenHeader } from './headers.ts';
import { networkOf, refuseCredentials, shownValue } from './network.ts';
import { nearest } from './nearest.ts';
import { checkScheme, parseUrl } from './service-url.ts';

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
export function resolveRun(args: RunArguments, env: Environment, configFile: string): Resolved {
  const file = readConfig(configFile);
  const profiles = section(file['profiles'], `"profiles" in ${configFile}`);
  const { profile: chosen, values } = chooseProfile(args.target, profiles, env, configFile);

  const settings: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(SETTINGS) as [SettingName, SettingSpec][]) {
    const sources: [string, unknown][] = [
      [`--${flagName(name)}`, args.flags[flagName(name)]],
      // A variable that is set to nothing counts as not set.
      [variableName(name), env[variableName(name)] || undefined],
      [`"${name}" of the profile`, values[name]],
      [`"${name}" in ${configFile}`, file[name]],
    ];
    const given = sources.find(([, raw]) => raw !== undefined);
    const value = given === undefined ? spec.default : parseSetting(spec, given[1]);
    if (value === undefined) {
      throw new ConfigError(`${given?.[0]} is ${shownValue(given?.[1])}, but it must be ${rangeOf(spec)}.`);
    }
    if (name === 'proxy' && given?.[0] !== variableName(name)) refuseCredentials(value, given?.[0]);
    settings[name] = value;
  }
  // The table and the type of Settings are made from the same rows.
  const resolved = settings as Settings;
  checkScheme(chosen.url, resolved.allowHttp);
  const headers = { ...tokenHeader(env), ...chosen.headers, ...parseHeaders(args.headers, env) };
  const network = networkOf(resolved, env, chosen.url);
  return {
    profile: { ...chosen, headers, ...(network === undefined ? undefined : { network }) },
    settings: resolved,
  };
}

/** The names of the profiles in the config file. @throws ConfigError */
export function profileNames(configFile: string): string[] {
  return Object.keys(section(readConfig(configFile)['profiles'], `"profiles" in ${configFile}`));
}

function chooseProfile(
  target: string,
  known: Values,
  env: Environment,
  where: string,
): { profile: Profile; values: Values } {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) {
    return {
      profile: { name: parseUrl(target).host, url: parseUrl(target), headers: {} },
      values: {},
    };
  }
  if (!Object.hasOwn(known, target)) {
    const hint = nearest(target, Object.keys(known));
    throw new ConfigError(
      `There is no profile "${target}" in ${where}.${hint === undefined ? '' : ` Did you mean "${hint}"?`} ` +
        'Give the URL of a service (https://…), or add the profile there.',
    );
  }
  const entry = section(known[target], `profile "${target}"`);
  checkKeys(entry, PROFILE_KEYS, `profile "${target}"`);
  if (typeof entry['url'] !== 'string')
    throw new ConfigError(`Profile "${target}" in ${where} has no "url".`);
  const pairs = Object.entries(section(entry['headers'], `"headers" of profile "${target}"`));
  const headers = parseHeaders(
    pairs.map(([name, value]) => `${name}=${String(value)}`),
    env,
  );
  return { profile: { name: target, url: parseUrl(entry['url']), headers }, values: entry };
}

function readConfig(path: string): Values {
  const { values } = readConfigText(path);
  checkKeys(values, FILE_KEYS, path);
  return values;
}
