// Reads a config file as it stands: JSON, an object, or a clear word about where it is not. Knows nothing of settings, and never
// writes.

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
  let raw: string;
  try {
    raw = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NONE;
    throw new ConfigError(
      `The config file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      { cause: error },
    );
  }
  const text = raw.replace(/^\uFEFF/, '');
  const bytes = Buffer.from(text);
  const scan = scanEnvelope(bytes);
  if (scan.kind === 'not-json') {
    const { line, column } = positionOf(bytes, scan.at);
    throw new ConfigError(
      `The config file ${path} is not valid JSON: ${scan.reason} at line ${line} column ${column}. It was not changed.`,
    );
  }
  return { text, hasMark: text !== raw, values: section(JSON.parse(text), path) };
}

/** An object, or nothing. @throws ConfigError for anything else */
export function section(value: unknown, what: string): Values {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values;
  throw new ConfigError(`${what} must be a JSON object.`);
}

/** Both counted from 1, the column in characters. */
function positionOf(bytes: Buffer, at: number): { readonly line: number; readonly column: number } {
  const lines = bytes.toString('utf8', 0, at).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
