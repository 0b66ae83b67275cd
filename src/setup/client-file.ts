// One client's file with its list of servers, as it stands and as it is changed: what is not ours stays byte for byte, but for a byte
// order mark, which these programs do not read. Each change leaves a copy of the file as it was before.

import { lstatSync, realpathSync, statSync } from 'node:fs';
import { writeFileSync } from 'atomically';
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import {
  ConfigError,
  invalidJson,
  parseStrictly,
  readText,
  section,
  type ConfigText,
  type Values,
} from '../config/config-file.ts';
import type { JsonFile } from '../config/json-changes.ts';
import type { ClientSpec } from './clients.ts';

/** A new file is this user's alone: people put tokens there. */
const NEW_MODE = 0o600;
const ANY_WRITE = 0o222;

export interface ClientFileOptions {
  /** Keeps a copy of the file as it is. */
  readonly keep: (path: string) => void;
}

export function clientFile(
  path: string,
  { syntax, section: key }: Pick<ClientSpec, 'syntax' | 'section'>,
  { keep }: ClientFileOptions,
): JsonFile {
  const name = `The file ${path}`;
  const parseText = (text: string): unknown =>
    text.trim() === '' ? {} : syntax === 'json' ? parseStrictly(text, name) : parseLoosely(text, name);
  return {
    name,
    parse: parseText,
    read(): ConfigText {
      const { text, hasMark } = readText(path, name) ?? { text: '', hasMark: false };
      const values = section(parseText(text), name);
      section(values[key], `"${key}" in ${path}`);
      return { text, hasMark, values };
    },
    write(text) {
      const isNew = checkPlace(path, name);
      if (!isNew) keep(path);
      try {
        writeFileSync(path, text, isNew ? { mode: NEW_MODE } : {});
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
        throw new ConfigError(`${name} cannot be written (${code}). It was not changed.`, { cause: error });
      }
      if (readText(path, name)?.text !== text)
        throw new ConfigError(`${name} was changed by another program at the same moment. Try again.`);
    },
  };
}

/** The entries in it. @throws ConfigError where it is not understood */
export function entriesIn(path: string, client: Pick<ClientSpec, 'syntax' | 'section'>): Values {
  const { values } = clientFile(path, client, { keep: () => {} }).read();
  return section(values[client.section], `"${client.section}" in ${path}`);
}

/** Whether there is no file yet. @throws ConfigError where it must not be written */
function checkPlace(path: string, name: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return true;
  try {
    realpathSync(path);
  } catch (error) {
    throw new ConfigError(`${name} is a link that leads nowhere. It was not changed.`, { cause: error });
  }
  // Replacing it would work all the same; whoever has closed it does not want that.
  if ((statSync(path).mode & ANY_WRITE) === 0)
    throw new ConfigError(`${name} is read-only. It was not changed. Make it writable, then try again.`);
  return false;
}

function parseLoosely(text: string, name: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  const [first] = errors;
  if (first === undefined) return value ?? {};
  throw invalidJson(name, printParseErrorCode(first.error), text.slice(0, first.offset));
}
