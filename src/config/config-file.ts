// Reads a config file as it stands: JSON, an object, or a clear word about where it is not. Knows nothing of settings, and never
// writes.

import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { scanEnvelope } from '../protocol/envelope.ts';

/** A value that a person gave and that cannot be used; the message says what is accepted. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ERR_CONFIG_INVALID';
}

export type Values = Readonly<Record<string, unknown>>;

export interface ConfigText {
  /** As it stands in the file, but for a byte order mark; empty where there is no file. */
  readonly text: string;
  readonly hasMark: boolean;
  readonly values: Values;
}

const NONE: ConfigText = { text: '', hasMark: false, values: {} };

/** @throws ConfigError where there is a file that cannot be read or is no JSON object */
export function readConfigText(path: string): ConfigText {
  const name = `The config file ${path}`;
  const read = readText(path, name);
  return read === undefined ? NONE : { ...read, values: section(parseStrictly(read.text, name), path) };
}

/**
 * Undefined where there is no file.
 * @param name as a message calls it
 * @throws ConfigError where it cannot be read, or not without loss
 */
export function readText(
  path: string,
  name: string,
): { readonly text: string; readonly hasMark: boolean } | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ConfigError(`${name} cannot be read (${code}).`, { cause: error });
  }
  if (!isUtf8(bytes)) throw new ConfigError(`${name} is not in UTF-8. It was not changed.`);
  const raw = bytes.toString();
  const text = raw.replace(/^\uFEFF/, '');
  return { text, hasMark: text !== raw };
}

/** @throws ConfigError with line and column */
export function parseStrictly(text: string, name: string): unknown {
  const bytes = Buffer.from(text);
  const scan = scanEnvelope(bytes);
  if (scan.kind === 'not-json') throw invalidJson(name, scan.reason, bytes.toString('utf8', 0, scan.at));
  return JSON.parse(text) as unknown;
}

/** @param before all of the file up to where it is wrong */
export function invalidJson(name: string, reason: string, before: string): ConfigError {
  const lines = before.split('\n');
  // Both counted from 1, the column in characters.
  const [line, column] = [lines.length, (lines.at(-1) ?? '').length + 1];
  return new ConfigError(
    `${name} is not valid JSON: ${reason} at line ${line} column ${column}. It was not changed.`,
  );
}

/** An object, or nothing. @throws ConfigError for anything else */
export function section(value: unknown, what: string): Values {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values;
  throw new ConfigError(`${what} must be a JSON object.`);
}
