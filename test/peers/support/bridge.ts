// Owns how these tests launch the program under test: the command, its arguments, its environment.
//
// The same tests run against every way of bridging: in-process and through a daemon (test/support/daemon-processes.ts), and
// against anything else that MCP_BRIDGE_TEST_COMMAND names, a JSON array to which the URL is appended.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isThroughDaemon, killDaemons, launchEnv } from '../../support/daemon-processes.ts';
import type { Command } from './child.ts';
import type { Scope } from './scope.ts';

const launcher = resolve(import.meta.dirname, '../../../bin/mcp-bridge.js');

export interface LaunchOptions {
  /** Appended after the URL. */
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** A home of its own for each launch, unless `env` names one, so that no test sees another's state. */
export function bridgeCommand(
  scope: Scope,
  url: string,
  { args = [], env = {} }: LaunchOptions = {},
): Command {
  const [command = process.execPath, ...before] = otherCommand() ?? [process.execPath, launcher, 'run'];
  return {
    command,
    args: [...before, url, ...args],
    env: {
      ...inherited(),
      MCP_BRIDGE_HOME: env['MCP_BRIDGE_HOME'] ?? bridgeHome(scope),
      ...launchEnv,
      ...env,
    },
  };
}

function bridgeHome(scope: Scope): string {
  const home = temporaryFolder(scope);
  if (isThroughDaemon) scope.defer(() => killDaemons(home));
  return home;
}

export function temporaryFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-peers-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

function otherCommand(): string[] | undefined {
  const text = process.env['MCP_BRIDGE_TEST_COMMAND'];
  return text === undefined ? undefined : (JSON.parse(text) as string[]);
}

/** What the program would find in a person's session; test runners add variables that it must not depend on. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'APPDATA', 'LOCALAPPDATA', 'USERPROFILE'];
  const found = names.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(found.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
