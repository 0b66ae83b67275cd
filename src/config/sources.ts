// Where each setting's value comes from. The order of precedence is here and nowhere else: what an administrator has locked, flag,
// variable, profile, the user's config file, the managed one, default.

import { ConfigError } from './config-file.ts';
import { isProfileKeyLocked, profileIn, type Layers, type ProfileLayers } from './layers.ts';
import { refuseCredentials, shownValue } from './network.ts';
import {
  SETTINGS,
  flagName,
  parseSetting,
  rangeOf,
  variableName,
  type SettingName,
  type SettingSpec,
} from './settings.ts';

export type Origin = 'flag' | 'variable' | 'profile' | 'user' | 'managed' | 'default';

export interface SourcedSetting {
  readonly name: SettingName;
  readonly value: number | string | boolean;
  readonly origin: Origin;
  /** By an administrator: nothing else counts. */
  readonly isLocked: boolean;
  /** The flag, the variable or the file; empty for a default. */
  readonly where: string;
}

export interface Asked {
  /** By their names without dashes. */
  readonly flags: Readonly<Record<string, string | boolean>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The name of the profile; undefined where there is none. */
  readonly profile?: string | undefined;
}

interface Source {
  readonly origin: Origin;
  readonly where: string;
  /** As a message calls it. */
  readonly what: string;
  readonly raw: unknown;
}

/** Each setting with its value and its place. @throws ConfigError where a value that counts is none */
export function settingSources(layers: Layers, asked: Asked): SourcedSetting[] {
  const profile = asked.profile === undefined ? undefined : profileIn(layers, asked.profile);
  return (Object.entries(SETTINGS) as [SettingName, SettingSpec][]).map(([name, spec]) => {
    const locked = lockedSource(layers, asked.profile, profile, name);
    const given = locked ?? openSources(layers, asked, profile, name).find(({ raw }) => raw !== undefined);
    if (given === undefined)
      return { name, value: spec.default, origin: 'default', isLocked: false, where: '' };
    const value = parseSetting(spec, given.raw);
    if (value === undefined)
      throw new ConfigError(`${given.what} is ${shownValue(given.raw)}, but it must be ${rangeOf(spec)}.`);
    if (name === 'proxy' && given.origin !== 'variable') refuseCredentials(value, given.what);
    return { name, value, origin: given.origin, isLocked: locked !== undefined, where: given.where };
  });
}

function lockedSource(
  layers: Layers,
  profileName: string | undefined,
  profile: ProfileLayers | undefined,
  name: SettingName,
): Source | undefined {
  const file = layers.places.managedConfigFile;
  const ofProfile = profile?.managed[name];
  if (profileName !== undefined && ofProfile !== undefined && isProfileKeyLocked(layers, profileName, name))
    return { origin: 'managed', where: file, what: `"${name}" of the profile in ${file}`, raw: ofProfile };
  if (!layers.locked.has(name)) return undefined;
  return { origin: 'managed', where: file, what: `"${name}" in ${file}`, raw: layers.managed[name] };
}

function openSources(
  { places, user, managed }: Layers,
  { flags, env }: Asked,
  profile: ProfileLayers | undefined,
  name: SettingName,
): Source[] {
  const { configFile, managedConfigFile } = places;
  const flag = `--${flagName(name)}`;
  const variable = variableName(name);
  const ofProfile = `"${name}" of the profile`;
  return [
    { origin: 'flag', where: flag, what: flag, raw: flags[flagName(name)] },
    // A variable that is set to nothing counts as not set.
    { origin: 'variable', where: variable, what: variable, raw: env[variable] || undefined },
    { origin: 'profile', where: configFile, what: ofProfile, raw: profile?.user[name] },
    { origin: 'profile', where: managedConfigFile, what: ofProfile, raw: profile?.managed[name] },
    { origin: 'user', where: configFile, what: `"${name}" in ${configFile}`, raw: user[name] },
    {
      origin: 'managed',
      where: managedConfigFile,
      what: `"${name}" in ${managedConfigFile}`,
      raw: managed[name],
    },
  ];
}
