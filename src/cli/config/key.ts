// What a person calls a value by: a setting, a key of a profile, or the whole profile. And the value itself, from its text.

import { ConfigError } from '../../config/config-file.ts';
import { PROFILE_KEYS } from '../../config/config-keys.ts';
import { nearest } from '../../config/nearest.ts';
import { parseSetting, rangeOf, SETTINGS, type SettingName } from '../../config/settings.ts';

export interface Key {
  /** In the file. */
  readonly path: readonly string[];
  readonly profile: string | undefined;
  /** Where it is one. */
  readonly setting: SettingName | undefined;
}

/**
 * @param text `toolTimeoutMs`; with a profile also `url` and `headers.NAME`; and all of these as `profiles.work.url`
 * @throws ConfigError
 */
export function parseKey(text: string, profile: string | undefined): Key {
  const whole = /^profiles\.(.+)$/.exec(text)?.[1];
  if (whole !== undefined && profile === undefined) {
    const [, name, key] = /^(.+?)\.(headers\..+|[^.]+)$/.exec(whole) ?? [];
    const isKey = key !== undefined && (PROFILE_KEYS.includes(key) || key.startsWith('headers.'));
    return isKey && name !== undefined
      ? keyOf(key, name)
      : { path: ['profiles', whole], profile: whole, setting: undefined };
  }
  return keyOf(text, profile);
}

function keyOf(text: string, profile: string | undefined): Key {
  const base = profile === undefined ? [] : ['profiles', profile];
  if (Object.hasOwn(SETTINGS, text)) return { path: [...base, text], profile, setting: text as SettingName };
  if (profile !== undefined) {
    const header = /^headers\.(.+)$/.exec(text)?.[1];
    if (header !== undefined) return { path: [...base, 'headers', header], profile, setting: undefined };
    if (PROFILE_KEYS.includes(text)) return { path: [...base, text], profile, setting: undefined };
  }
  if (profile === undefined && (text === 'url' || text.startsWith('headers')))
    throw new ConfigError(`"${text}" belongs to a profile: name it with --profile.`);
  const hint = nearest(text, profile === undefined ? Object.keys(SETTINGS) : PROFILE_KEYS);
  throw new ConfigError(
    `There is no setting "${text}".${hint === undefined ? ' `mcp-bridge config list` shows them all.' : ` Did you mean "${hint}"?`}`,
  );
}

/** @throws ConfigError where the setting does not accept it */
export function parseValue({ setting, path }: Key, text: string): unknown {
  if (path.length === 2 && path[0] === 'profiles')
    throw new ConfigError(
      `A profile is no single value: set its "url", as in \`mcp-bridge config set ${path.join('.')}.url https://…\`.`,
    );
  if (setting === undefined) {
    if (path.at(-1) === 'headers')
      throw new ConfigError('Headers are set one by one: headers.NAME, to env:VARIABLE.');
    return text;
  }
  const value = parseSetting(SETTINGS[setting], text);
  if (value === undefined) throw new ConfigError(`"${setting}" must be ${rangeOf(SETTINGS[setting])}.`);
  return value;
}
