// `mcp-bridge config`: shows the settings with their places, and changes the user's config file one value at a time.

import { ConfigError, readConfigText } from '../config/config-file.ts';
import { valueAt } from '../config/json-changes.ts';
import { isProfileKeyLocked, profileIn, readLayers, type Layers } from '../config/layers.ts';
import { isLive } from '../config/settings.ts';
import { checkProfileName, writeChanges } from '../config/user-config.ts';
import { textOf, UsageError, type Arguments, type CommandContext } from './command.ts';
import { editConfig } from './config/edit.ts';
import { parseKey, parseValue, type Key } from './config/key.ts';
import { listConfig, originOf, shown, shownSettings } from './config/list.ts';
import { EXIT } from './exit-codes.ts';
import { nearest } from '../config/nearest.ts';

const ACTIONS = ['list', 'get', 'set', 'unset', 'path', 'edit'] as const;

export async function run({ words, options }: Arguments, context: CommandContext): Promise<number> {
  const { stdout, stderr, paths } = context;
  const [action, key, value] = words;
  const profile = textOf(options['profile']);
  expectWords(action, words.length);
  try {
    switch (action as (typeof ACTIONS)[number]) {
      case 'list':
        return listConfig(
          { profile, withOrigin: options['origin'] === true, isJson: options['json'] === true },
          context,
        );
      case 'get':
        return get(parseKey(key ?? '', profile), options['origin'] === true, context);
      case 'set':
        return set(parseKey(key ?? '', profile), value ?? '', context);
      case 'unset':
        return unset(parseKey(key ?? '', profile), context);
      case 'path':
        stdout.write(`${options['managed'] === true ? paths.managedConfigFile : paths.configFile}\n`);
        return EXIT.ok;
      case 'edit':
        return await editConfig(context);
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stderr.write(`mcp-bridge: ${error.message}\n`);
    return EXIT.degraded;
  }
}

/** @throws UsageError */
function expectWords(action: string | undefined, count: number): void {
  const known = ACTIONS.find((each) => each === action);
  if (known === undefined) {
    const hint = action === undefined ? undefined : nearest(action, ACTIONS);
    const what = hint === undefined ? `It is one of ${ACTIONS.join(', ')}.` : `Did you mean "${hint}"?`;
    throw new UsageError(`What to do with the configuration? ${what}`);
  }
  const needed = { list: 1, get: 2, set: 3, unset: 2, path: 1, edit: 1 }[known];
  if (count < needed)
    throw new UsageError(`\`config ${known}\` needs ${known === 'set' ? 'a key and a value' : 'a key'}.`);
  if (count > needed) throw new UsageError(`There are too many words behind \`config ${known}\`.`);
}

/** What counts, from wherever it comes; without a setting's name, what stands in the files. */
function get(
  { path, profile, setting }: Key,
  withOrigin: boolean,
  { paths, env, stdout, stderr }: CommandContext,
): number {
  const layers = readLayers(paths);
  if (profile !== undefined && profileIn(layers, profile) === undefined)
    throw new ConfigError(`There is no profile "${profile}".`);
  if (setting !== undefined) {
    const found = shownSettings(layers, { flags: {}, env, profile }).find(({ name }) => name === setting);
    if (found !== undefined)
      stdout.write(`${shown(found.value)}${withOrigin ? `  ${originOf(found, profile)}` : ''}\n`);
    return EXIT.ok;
  }
  const value = valueAt(layers.user, path) ?? valueAt(layers.managed, path);
  if (value === undefined) {
    stderr.write(`${path.join('.')} is not set.\n`);
    return EXIT.degraded;
  }
  stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)}\n`);
  return EXIT.ok;
}

function set(key: Key, text: string, context: CommandContext): number {
  const { paths, stdout } = context;
  const { path, profile } = key;
  refuseLocked(key, context);
  if (profile !== undefined) checkProfileName(profile);
  const written = writeChanges(paths, [{ path, value: parseValue(key, text) }]);
  const what = written === 'same' ? 'is that already' : 'is set';
  stdout.write(`${path.join('.')} ${what} in ${paths.configFile}. ${effectOf(key)}\n`);
  warnOfOthers(key, context);
  return EXIT.ok;
}

function unset(key: Key, context: CommandContext): number {
  const { paths, stdout } = context;
  const { path, profile } = key;
  if (path.at(-1) === 'url' && path.length === 3)
    throw new ConfigError(
      `A profile needs its URL. To take all of it out: mcp-bridge config unset profiles.${profile}`,
    );
  const written = writeChanges(paths, [{ path, value: undefined }]);
  if (written === 'same') stdout.write(`${path.join('.')} was not set in ${paths.configFile}.\n`);
  else stdout.write(`${path.join('.')} is out of ${paths.configFile}. ${effectOf(key)}\n`);
  warnOfOthers(key, context);
  return EXIT.ok;
}

function effectOf({ setting }: Key): string {
  return setting !== undefined && isLive(setting)
    ? 'Bridges that are running take it up within seconds.'
    : 'It counts from the next launch on: restart the client.';
}

/** @throws ConfigError */
function refuseLocked({ path, profile, setting }: Key, { paths }: CommandContext): void {
  const layers = lockedLayers(paths);
  const isLocked =
    (setting !== undefined && layers.locked.has(setting)) ||
    (profile !== undefined && isProfileKeyLocked(layers, profile, path[2] ?? ''));
  if (isLocked)
    throw new ConfigError(
      `"${path.join('.')}" is locked by your administrator in ${paths.managedConfigFile}; what you set would not count.`,
    );
}

/** Also where the user's own file is about to be put right. */
function lockedLayers(paths: CommandContext['paths']): Layers {
  return readLayers({ ...paths, configFile: '' });
}

/** Says so where another place goes before what was written. */
function warnOfOthers({ path, profile, setting }: Key, { paths, env, stdout }: CommandContext): void {
  if (setting === undefined) return;
  const layers = readLayers(paths);
  if (profile !== undefined && profileIn(layers, profile) === undefined) return;
  const found = shownSettings(layers, { flags: {}, env, profile }).find(({ name }) => name === setting);
  const own = valueAt(readConfigText(paths.configFile).values, path);
  if (found === undefined || own === undefined || found.value === own) return;
  stdout.write(`But ${shown(found.value)} goes before it: ${originOf(found, profile)}.\n`);
}
