// The keys of a config file and of a profile in it, and whether one value can stand there.

import { ConfigError, section, type Values } from './config-file.ts';
import { parseHeaderSource } from './headers.ts';
import { refuseCredentials, shownValue } from './network.ts';
import { nearest } from './nearest.ts';
import { SETTINGS, parseSetting, rangeOf, type SettingName } from './settings.ts';
import { parseUrl } from './service-url.ts';

export const PROFILE_KEYS: readonly string[] = ['url', 'headers', ...Object.keys(SETTINGS)];
export const FILE_KEYS: readonly string[] = ['profiles', ...Object.keys(SETTINGS)];

/** @throws ConfigError that names the nearest key */
export function checkKeys(values: Values, known: readonly string[], what: string): void {
  const unknown = Object.keys(values).find((key) => !known.includes(key));
  if (unknown !== undefined) throw unknownKey(unknown, known, what);
}

/**
 * Whether `value` can stand at `path` in a config file.
 * @throws ConfigError
 */
export function checkValue(path: readonly string[], value: unknown): void {
  const [key = '', name, inner, header] = path;
  if (key !== 'profiles') {
    if (!FILE_KEYS.includes(key)) throw unknownKey(key, FILE_KEYS, 'The config file');
    checkSetting(key, value);
  } else if (name === undefined) throw new ConfigError('A profile needs a name.');
  else if (inner === undefined) {
    const profile = section(value, `profile "${name}"`);
    for (const [each, what] of Object.entries(profile)) checkValue([key, name, each], what);
  } else if (!PROFILE_KEYS.includes(inner)) throw unknownKey(inner, PROFILE_KEYS, `profile "${name}"`);
  else if (inner === 'url') parseUrl(String(value));
  else if (inner === 'headers' && header !== undefined) parseHeaderSource(`${header}=${String(value)}`);
  else if (inner === 'headers') {
    for (const [each, source] of Object.entries(section(value, '"headers"')))
      parseHeaderSource(`${each}=${String(source)}`);
  } else checkSetting(inner, value);
}

function checkSetting(name: string, value: unknown): void {
  const spec = SETTINGS[name as SettingName];
  const parsed = parseSetting(spec, value);
  if (parsed === undefined)
    throw new ConfigError(`"${name}" is ${shownValue(value)}, but it must be ${rangeOf(spec)}.`);
  if (name === 'proxy') refuseCredentials(parsed, `"${name}"`);
}

function unknownKey(key: string, known: readonly string[], what: string): ConfigError {
  const hint = nearest(key, known);
  return new ConfigError(
    `${what} has the unknown key "${key}".${hint === undefined ? '' : ` Did you mean "${hint}"?`}`,
  );
}
