// `mcp-bridge config list`: every setting with its value, and where it came from.

import { profileIn, profileNamesIn, readLayers, type Layers } from '../../config/layers.ts';
import { ConfigError } from '../../config/config-file.ts';
import { isLive } from '../../config/settings.ts';
import { settingSources, type Asked, type SourcedSetting } from '../../config/sources.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { styleFor } from '../render/style.ts';

export interface ListWishes {
  readonly profile: string | undefined;
  readonly withOrigin: boolean;
  readonly isJson: boolean;
}

/** @throws ConfigError */
export function listConfig(
  { profile, withOrigin, isJson }: ListWishes,
  { paths, env, stdout }: CommandContext,
): number {
  const layers = readLayers(paths);
  if (profile !== undefined && profileIn(layers, profile) === undefined)
    throw new ConfigError(`There is no profile "${profile}".`);
  const settings = shownSettings(layers, { flags: {}, env, profile });
  const profiles = profileNamesIn(layers).map((name) => profileFacts(layers, name));
  if (isJson) {
    const told = settings.map((each) => ({
      ...each,
      takesEffect: isLive(each.name) ? 'at once' : 'next launch',
    }));
    stdout.write(`${JSON.stringify({ settings: told, profiles }, undefined, 2)}\n`);
    return EXIT.ok;
  }
  const style = styleFor(stdout, env);
  const width = Math.max(...settings.map(({ name }) => name.length)) + 2;
  const valueWidth = Math.max(...settings.map(({ value }) => shown(value).length)) + 2;
  for (const setting of settings) {
    const value = setting.origin === 'default' ? style.dim(shown(setting.value)) : shown(setting.value);
    const gap = ' '.repeat(valueWidth - shown(setting.value).length);
    const from = withOrigin ? `${gap}${style.dim(originOf(setting, profile))}` : '';
    stdout.write(`${setting.name.padEnd(width)}${value}${from}\n`);
  }
  const listed = profiles.filter(({ name }) => profile === undefined || name === profile);
  for (const { name, url, where, isLocked } of listed) {
    const from = withOrigin ? style.dim(`  ${where}${isLocked ? ', locked' : ''}`) : '';
    stdout.write(`${name === listed[0]?.name ? '\n' : ''}profiles.${name}  ${url}${from}\n`);
  }
  return EXIT.ok;
}

/** Each setting as anybody may see it: what is listed goes into reports, and a variable may hold a proxy's password. */
export function shownSettings(layers: Layers, asked: Asked): SourcedSetting[] {
  return settingSources(layers, asked).map((setting) =>
    setting.name === 'proxy' ? { ...setting, value: String(setting.value).replace(/[^/]*@/, '…@') } : setting,
  );
}

export function shown(value: number | string | boolean): string {
  return value === '' ? 'not set' : String(value);
}

/** Where a value came from, in words. */
export function originOf({ origin, where, isLocked }: SourcedSetting, profile: string | undefined): string {
  switch (origin) {
    case 'default':
      return 'default';
    case 'flag':
    case 'variable':
      return `${origin} ${where}`;
    case 'profile':
      return `profile "${profile}" in ${where}`;
    case 'user':
      return `user config ${where}`;
    case 'managed':
      return `managed config ${where}${isLocked ? ', locked' : ''}`;
  }
}

interface ProfileFacts {
  readonly name: string;
  readonly url: string;
  /** Their names; the values come from variables. */
  readonly headers: readonly string[];
  readonly where: string;
  readonly isLocked: boolean;
}

function profileFacts(layers: Layers, name: string): ProfileFacts {
  const { user, managed } = profileIn(layers, name) ?? { user: {}, managed: {} };
  const both = { ...managed, ...user };
  const isOwn = Object.keys(user).length > 0;
  return {
    name,
    // Without the query, which may hold a key.
    url: typeof both['url'] === 'string' ? both['url'].replace(/\?.*$/, '') : '',
    headers: Object.keys(both['headers'] ?? {}),
    where: isOwn ? layers.places.configFile : layers.places.managedConfigFile,
    isLocked: layers.locked.has(`profiles.${name}`),
  };
}
