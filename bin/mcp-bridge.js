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
  const { run } = require('../dist/app/front.cjs');
  void run(isShort ? argv : argv.slice(1)).then((code) => process.exit(code));
} else {
  void import('../dist/app/cli.js').then(async ({ main }) => {
    process.exitCode = await main(argv);
  });
}
