#!/usr/bin/env node
// The launcher: `run`, which clients start, goes the short way; all else goes to the command line for people.
// Loads nothing of the program before the Node.js version is checked, so that an old one gets a clear message. CommonJS (see
// package.json beside it), because that starts sooner.
'use strict';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `mcp-bridge needs Node.js 22.19 or newer, but this is ${process.version} (${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org, or use an installer of mcp-bridge, which brings its own.\n',
  );
  process.exit(1);
}

const argv = process.argv.slice(2);
const isRun = argv[0] === 'run' && !argv.includes('--help') && !argv.includes('-h');
const isShort = argv[0] !== undefined && /^https?:\/\//i.test(argv[0]);
if (isRun || isShort) {
  useCompileCache();
  const { run } = require('../dist/app/run.cjs');
  void run(isShort ? argv : argv.slice(1)).then((code) => process.exit(code));
} else {
  void import('../dist/app/cli.js').then(async ({ main }) => {
    process.exitCode = await main(argv);
  });
}

/**
 * What follows is compiled once instead of at every launch, where the daemon has made a place for that. The place and the rule are those
 * of `src/platform/paths.ts` and `compile-cache.ts`, written out here because a launch pays for each file that it loads
 * (`test/platform/compile-cache.test.ts` holds them together).
 */
function useCompileCache() {
  const { enableCompileCache } = require('node:module');
  const { lstatSync } = require('node:fs');
  const { join } = require('node:path');
  try {
    const dir = join(cacheDir(join), 'code');
    const found = lstatSync(dir);
    const isOwn = found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
    if (isOwn && (process.platform === 'win32' || (found.mode & 0o077) === 0)) enableCompileCache(dir);
  } catch {
    // Then it only starts more slowly.
  }
}

function cacheDir(join) {
  const { MCP_BRIDGE_HOME, LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (MCP_BRIDGE_HOME) return join(MCP_BRIDGE_HOME, 'cache');
  const home = require('node:os').homedir();
  switch (process.platform) {
    case 'darwin':
      return join(home, 'Library', 'Caches', 'mcp-bridge');
    case 'win32':
      return join(LOCALAPPDATA || join(home, 'AppData', 'Local'), 'mcp-bridge', 'Cache');
    default:
      return join(XDG_CACHE_HOME || join(home, '.cache'), 'mcp-bridge');
  }
}
