// Writes the user's config file: one value at a time, everything else in it byte for byte as it was, in one step, and never over
// a file that is not understood. What is written has been read back as it will be read.

import { realpathSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { writeFileSync } from 'atomically';
import type { Paths } from '../platform/paths.ts';
import { ConfigError, readConfigText, type ConfigText, type Values } from './config-file.ts';
import { checkValue } from './config-keys.ts';
import { editText } from './edit-text.ts';

type ConfigPlace = Pick<Paths, 'configFile'>;

export interface ProfileEntry {
  readonly url: string;
  /** Each value as `env:VARIABLE`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Settings by their names. */
  readonly [setting: string]: unknown;
}

export interface Change {
  /** Keys from the outermost object inwards. */
  readonly path: readonly string[];
  /** Undefined takes out what is there. */
  readonly value: unknown;
}

export type Written = 'added' | 'changed' | 'same';

/** Another program may write at the same moment; its change is read and kept then. */
const TRIES = 5;
/** As it is typed on a command line and put into the arguments of a client's entry. */
const PROFILE_NAME = /^\w[\w.@-]*$/;

/**
 * Keeps what a profile has beyond `entry`, and what stands around it.
 * @throws ConfigError where the file is not understood, or would not be afterwards; it is untouched then
 */
export function writeProfile(paths: ConfigPlace, name: string, entry: ProfileEntry): Written {
  checkProfileName(name);
  const given = Object.entries(entry).filter(([, value]) => value !== undefined);
  return writeChanges(
    paths,
    given.map(([key, value]) => ({ path: ['profiles', name, key], value })),
  );
}

/** @throws ConfigError as `writeProfile` */
export function removeProfile(paths: ConfigPlace, name: string): Written {
  return writeChanges(paths, [{ path: ['profiles', name], value: undefined }]);
}

/** @throws ConfigError as `writeProfile` */
export function writeChanges({ configFile }: ConfigPlace, changes: readonly Change[]): Written {
  for (let tries = 1; ; tries += 1) {
    const found = readConfigText(configFile);
    const needed = changes.filter(
      ({ path, value }) => !isDeepStrictEqual(valueAt(found.values, path), value),
    );
    const [first] = needed;
    if (first === undefined) return 'same';
    const text = textWith(found, needed, configFile);
    // Between this look and the rename below lies less than a millisecond.
    if (readConfigText(configFile).text !== found.text && tries < TRIES) continue;
    write(configFile, `${found.hasMark ? '\uFEFF' : ''}${text}`);
    const isNew = needed.every(({ path }) => valueAt(found.values, path.slice(0, -1)) === undefined);
    return isNew ? 'added' : 'changed';
  }
}

/** @throws ConfigError */
function checkProfileName(name: string): void {
  if (PROFILE_NAME.test(name) && !(name in {})) return;
  throw new ConfigError(
    `"${name}" cannot be the name of a profile: use letters, digits, ".", "-" and "_", and begin with a letter or digit.`,
  );
}

function textWith({ text, values }: ConfigText, changes: readonly Change[], configFile: string): string {
  let edited = text;
  let expected: unknown = values;
  for (const { path, value } of changes) {
    if (value !== undefined) checkValue(path, value);
    edited = editText(edited, [...path], value);
    expected = withValue(expected, path, value);
  }
  // A key that stands there twice is the one thing that the text and its meaning can differ in.
  if (!isDeepStrictEqual(JSON.parse(edited), expected)) {
    throw new ConfigError(
      `The config file ${configFile} has a key twice, so it is not clear what to change. It was not changed.`,
    );
  }
  return edited;
}

function write(path: string, text: string): void {
  try {
    // A new file is this user's alone; one that is there keeps its mode, and stays where a link leads.
    const isNew = !exists(path);
    writeFileSync(path, text, isNew ? { mode: 0o600 } : {});
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigError(`The config file ${path} cannot be written (${code}).`, { cause: error });
  }
}

function exists(path: string): boolean {
  try {
    realpathSync(path);
    return true;
  } catch {
    return false;
  }
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  let value = values;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Values)[key];
  }
  return value;
}

function withValue(values: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const isObject = typeof values === 'object' && values !== null && !Array.isArray(values);
  const copy = isObject ? { ...(values as Values) } : {};
  const inner = withValue(copy[key], rest, value);
  if (inner === undefined) delete copy[key];
  else copy[key] = inner;
  return copy;
}
