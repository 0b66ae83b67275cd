// What a launch would work with, or why it would not start: resolveRun on a config file that the test writes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { ConfigError, resolveRun, type Resolved } from '../../src/config/resolve.ts';

export interface Given {
  readonly target?: string;
  readonly flags?: Readonly<Record<string, string | boolean>>;
  readonly headers?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The config file: its text, or a value to write as JSON. There is none by default. */
  readonly file?: string | object;
  /** The administrator's config file, likewise. */
  readonly managed?: string | object;
}

/** A directory that is gone when the test is over. */
function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-bridge-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** @throws ConfigError */
export function resolve(given: Given): Resolved {
  const folder = scratch();
  const configFile = place(join(folder, 'config.json'), given.file);
  const managedConfigFile = place(join(folder, 'managed.json'), given.managed);
  return resolveRun(
    {
      target: given.target ?? 'https://service.example/mcp',
      flags: given.flags ?? {},
      headers: given.headers ?? [],
    },
    given.env ?? {},
    { configFile, managedConfigFile },
  );
}

function place(path: string, content: string | object | undefined): string {
  const text = typeof content === 'object' ? JSON.stringify(content) : content;
  if (text === undefined) return path;
  writeFileSync(path, text);
  onTestFinished(() => {
    // Whatever happens, the file belongs to its writer.
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
  return path;
}

/** The message that a person gets instead of a start. Fails where it would start. */
export function refusal(given: Given): string {
  try {
    resolve(given);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}
