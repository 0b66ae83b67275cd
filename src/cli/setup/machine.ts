// This machine as set-up sees it: its directories, and how this very program is launched.

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import type { Machine } from '../../setup/clients.ts';
import { ConfigError } from '../../config/config-file.ts';
import type { Program } from '../../setup/entry.ts';
import { spacelessPath } from '../../setup/spaceless.ts';
import type { CommandContext } from '../command.ts';

export function thisMachine({ env }: Pick<CommandContext, 'env'>): Machine {
  return {
    platform: process.platform,
    env,
    home: homedir(),
    exists: existsSync,
    list: (path) => {
      try {
        return readdirSync(path);
      } catch {
        return [];
      }
    },
  };
}

/**
 * By the path that it was called by, which an upgrade is likelier to keep than the one behind a link.
 * @throws ConfigError where it lies at a place that cannot stand in an entry
 */
export function thisProgram({ paths }: Pick<CommandContext, 'paths'>): Program {
  const called = process.argv[1] ?? '';
  const isOurs = /^mcp-bridge(\.js)?$/.test(basename(called));
  const script = isOurs ? called : join(import.meta.dirname, '../../bin/mcp-bridge.js');
  if (/[\\/]_npx[\\/]/.test(script)) {
    throw new ConfigError(
      'This mcp-bridge was fetched by npx, which may delete it at any time. Install it first (npm install --global mcp-bridge, or an installer), then try again.',
    );
  }
  const parts = { platform: process.platform, link: programLink(paths) };
  return { node: process.execPath, script: spacelessPath(script, parts) };
}

/** Where a link to the script may be, for want of a path without a space. */
export function programLink({ configFile }: Pick<CommandContext['paths'], 'configFile'>): string {
  return join(dirname(configFile), 'bin', 'mcp-bridge.js');
}
