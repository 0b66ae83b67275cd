// Writes the user's config file, through `conf`: one value at a time, everything else in it byte for byte as it was, in one step, and
// never over a file that is not understood. What is written has been read back as it will be read. No launch loads this.

import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import Conf from 'conf';
import type { Paths } from '../platform/paths.ts';
import { ConfigError, parseStrictly, readConfigText, section } from './config-file.ts';
import { checkKeys, checkValue, FILE_KEYS } from './config-keys.ts';
import {
  applyChanges,
  planChanges,
  type Change,
  type JsonFile,
  type Plan,
  type Written,
} from './json-changes.ts';

type ConfigPlace = Pick<Paths, 'configFile'>;

export interface ProfileEntry {
  readonly url: string;
  /** Each value as `env:VARIABLE`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Settings by their names. */
  readonly [setting: string]: unknown;
}

/** A new file is this user's alone. */
const MODE = 0o600;
/** As it is typed on a command line and put into the arguments of a client's entry. */
const PROFILE_NAME = /^\w[\w.@-]*$/;

/**
 * Keeps what a profile has beyond `entry`, and what stands around it.
 * @throws ConfigError where the file is not understood, or would not be afterwards; it is untouched then
 */
export function writeProfile(place: ConfigPlace, name: string, entry: ProfileEntry): Written {
  return writeChanges(place, profileChanges(name, entry));
}

/** What `writeProfile` changes. @throws ConfigError where no profile can have that name */
export function profileChanges(name: string, entry: ProfileEntry): Change[] {
  checkProfileName(name);
  const given = Object.entries(entry).filter(([, value]) => value !== undefined);
  return given.map(([key, value]) => ({ path: ['profiles', name, key], value }));
}

/** @throws ConfigError as `writeProfile` */
export function removeProfile(place: ConfigPlace, name: string): Written {
  return writeChanges(place, [{ path: ['profiles', name], value: undefined }]);
}

/** @throws ConfigError as `writeProfile` */
export function writeChanges({ configFile }: ConfigPlace, changes: readonly Change[]): Written {
  checkChanges(changes);
  return applyChanges(userFile(configFile), changes).written;
}

/** What `writeChanges` would make of it. @throws ConfigError as `writeProfile` */
export function planConfig({ configFile }: ConfigPlace, changes: readonly Change[]): Plan {
  checkChanges(changes);
  return planChanges(userFile(configFile), changes);
}

/**
 * The whole file, as somebody has edited it.
 * @param before the text that was edited
 * @throws ConfigError where it is not what a config file can be, or was changed meanwhile
 */
export function replaceConfig({ configFile }: ConfigPlace, before: string, text: string): void {
  const name = 'The edited text';
  const values = section(parseStrictly(text.replace(/^\uFEFF/, ''), name), name);
  checkKeys(values, FILE_KEYS, name);
  for (const [key, value] of Object.entries(values)) {
    if (key !== 'profiles') checkValue([key], value);
    else
      for (const [each, entry] of Object.entries(section(value, '"profiles"')))
        checkValue([key, each], entry);
  }
  if ((readRaw(configFile) ?? '') !== before)
    throw new ConfigError(
      `The config file ${configFile} was changed by somebody else meanwhile. It was not changed.`,
    );
  save(configFile, text);
}

/** The text as it stands, whatever it is; undefined where there is none. */
export function readRaw(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`The config file ${path} cannot be read.`, { cause: error });
  }
}

/** @throws ConfigError */
export function checkProfileName(name: string): void {
  if (PROFILE_NAME.test(name) && !(name in {})) return;
  throw new ConfigError(
    `"${name}" cannot be the name of a profile: use letters, digits, ".", "-" and "_", and begin with a letter or digit.`,
  );
}

function checkChanges(changes: readonly Change[]): void {
  for (const { path, value } of changes) if (value !== undefined) checkValue(path, value);
}

function userFile(path: string): JsonFile {
  return {
    name: `The config file ${path}`,
    read: () => readConfigText(path),
    parse: (text) => JSON.parse(text) as unknown,
    write: (text, { hasMark }) => save(path, `${hasMark ? '\uFEFF' : ''}${text}`),
  };
}

/**
 * By `conf`, which makes the directory, follows links and replaces the file in one step. It would format all of it anew, so it is given
 * the text.
 */
function save(path: string, text: string): void {
  const extension = extname(path);
  try {
    const file = new Conf<Record<string, unknown>>({
      cwd: dirname(path),
      configName: basename(path, extension),
      fileExtension: extension.slice(1),
      configFileMode: modeOf(path),
      clearInvalidConfig: false,
      // What stands there has been read already, or is about to be put right.
      deserialize: () => ({}),
      serialize: () => text,
    });
    file.store = JSON.parse(text.replace(/^\uFEFF/, '')) as Record<string, unknown>;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigError(`The config file ${path} cannot be written (${code}).`, { cause: error });
  }
}

function modeOf(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.mode ?? MODE) & 0o777;
}
