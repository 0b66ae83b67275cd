// This machine as set-up sees it: its directories, and how this very program is launched.

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';
import type { Machine } from '../../setup/clients.ts';
import type { Program } from '../../setup/entry.ts';
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

/** By the path that it was called by, which an upgrade is likelier to keep than the one behind a link. */
export function thisProgram(): Program {
  const called = process.argv[1] ?? '';
  const isOurs = /^mcp-bridge(\.js)?$/.test(basename(called));
  const script = isOurs ? called : join(import.meta.dirname, '../../bin/mcp-bridge.js');
  return { node: process.execPath, script };
}
