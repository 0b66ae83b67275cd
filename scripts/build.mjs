// Bundles the program into dist/app: one file an entry, so that a launch reads few files. Native modules stay outside.
import { build } from 'esbuild';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(join(root, 'dist/app'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { run: 'src/cli/run.ts', cli: 'src/cli/main.ts' },
  outdir: 'dist/app',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.19',
  minifySyntax: true,
  legalComments: 'linked',
  external: ['keytar'],
  define: { __VERSION__: JSON.stringify(version) },
  // CommonJS dependencies call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
