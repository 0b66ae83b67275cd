// Bundles the program into dist/app: one file an entry, so that a launch reads few files. Native modules stay outside.
import { build } from 'esbuild';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** @type {import('esbuild').BuildOptions} */
const shared = {
  absWorkingDir: root,
  outdir: 'dist/app',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.19',
  minifySyntax: true,
  legalComments: 'linked',
  external: ['keytar'],
  define: { __VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
};

/** The front is one file without the bridge in it, which it loads only where it has to. */
const bridgeApart = {
  name: 'bridge-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/in-process\.ts$/ }, () => ({ path: './in-process.js', external: true }));
  },
};

rmSync(join(root, 'dist/app'), { recursive: true, force: true });
await build({
  ...shared,
  entryPoints: {
    'in-process': 'src/front/in-process.ts',
    daemon: 'src/daemon/main.ts',
    cli: 'src/cli/main.ts',
  },
  splitting: true,
  // CommonJS dependencies call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
await build({
  ...shared,
  entryPoints: { front: 'src/front/main.ts' },
  // As CommonJS, because an ES module that imports node:fs or node:process has every export of theirs made, and with them
  // loads thirty modules that a launch does not need: some 4 ms and 6 MB.
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { ...shared.define, 'import.meta.dirname': '__dirname' },
  plugins: [bridgeApart],
  minifyWhitespace: true,
});
