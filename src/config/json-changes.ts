// Changes values in a JSON file that others write too: what is not changed stays byte for byte, the file is replaced in one step, and
// one that is not understood is left alone. Whose file it is, and how it is read and written, the caller says.

import { isDeepStrictEqual } from 'node:util';
import { ConfigError, type ConfigText, type Values } from './config-file.ts';
import { editText } from './edit-text.ts';

export interface Change {
  /** Keys from the outermost object inwards. */
  readonly path: readonly string[];
  /** Undefined takes out what is there. */
  readonly value: unknown;
}

export interface JsonFile {
  /** As a message calls it: `The config file /home/…`. */
  readonly name: string;
  /** @throws ConfigError where it is there and not understood */
  read(): ConfigText;
  parse(text: string): unknown;
  /** In one step. @throws ConfigError */
  write(text: string, found: ConfigText): void;
}

export type Written = 'added' | 'changed' | 'same';

export interface Plan {
  readonly written: Written;
  readonly before: string;
  readonly after: string;
}

/** Another program may write at the same moment; its change is read and kept then. */
const TRIES = 5;

/** What a change would do. @throws ConfigError where the file is not understood, or would not be afterwards */
export function planChanges(file: JsonFile, changes: readonly Change[]): Plan {
  const found = file.read();
  return plan(file, found, changes);
}

/** @throws ConfigError as `planChanges`, and where it cannot be written; it is untouched then */
export function applyChanges(file: JsonFile, changes: readonly Change[]): Plan {
  for (let tries = 1; ; tries += 1) {
    const found = file.read();
    const planned = plan(file, found, changes);
    if (planned.written === 'same') return planned;
    // Between this look and the rename lies less than a millisecond.
    if (file.read().text !== found.text && tries < TRIES) continue;
    file.write(planned.after, found);
    return planned;
  }
}

function plan(file: JsonFile, found: ConfigText, changes: readonly Change[]): Plan {
  const { text, values } = found;
  const needed = changes.filter(({ path, value }) => !isDeepStrictEqual(valueAt(values, path), value));
  if (needed.length === 0) return { written: 'same', before: text, after: text };
  let after = text;
  let expected: unknown = values;
  for (const { path, value } of needed) {
    after = editText(after, path, value);
    expected = withValue(expected, path, value);
  }
  // A key that stands there twice is the one thing that the text and its meaning can differ in.
  if (!isDeepStrictEqual(file.parse(after), expected))
    throw new ConfigError(
      `${file.name} has a key twice, so it is not clear what to change. It was not changed.`,
    );
  const isNew = needed.every(({ path }) => valueAt(values, path.slice(0, -1)) === undefined);
  return { written: isNew ? 'added' : 'changed', before: text, after };
}

export function valueAt(values: unknown, path: readonly string[]): unknown {
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
