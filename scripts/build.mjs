// Bundles the program into dist/app: one file an entry, so that a launch reads few files. Native modules stay outside.
import { build } from 'esbuild';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(join(root, 'dist/app'), { recursive: true, force: true });
const options = {
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
  // CommonJS dependencies call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
};

/** What is imported when it is needed becomes a file of its own, which is whole. */
const ownFiles = {
  name: 'own-files',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/[a-z-]+\.ts$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path: path.replace(/ts$/, 'js'), external: true } : undefined,
    );
  },
};

/**
 * Takes Node's own modules as they are. An `import` of one makes a second face of it, which reads every export: that builds
 * the streams of `fs` and stdin, and costs ten milliseconds.
 */
const plainBuiltins = {
  name: 'plain-builtins',
  setup({ onResolve, onLoad }) {
    const namespace = 'builtin';
    onResolve({ filter: /^node:/ }, ({ path, namespace: from }) =>
      from === namespace ? undefined : { path, namespace },
    );
    onLoad({ filter: /.*/, namespace }, ({ path }) => {
      return { contents: `module.exports = process.getBuiltinModule('${path}');`, loader: 'js' };
    });
  },
};

await build({ ...options, entryPoints: { run: 'src/cli/run.ts' }, splitting: true });
// Not split, because each file costs `mcp-bridge status` half a millisecond of some forty. So no class of one file is the same in
// another.
const filesOf = (names) => Object.fromEntries(names.map((name) => [name, `src/cli/${name}.ts`]));
await build({ ...options, entryPoints: filesOf(['help', 'doctor']), plugins: [ownFiles] });
const quick = { cli: 'src/cli/main.ts', ...filesOf(['status', 'watch', 'logs', 'reset', 'stop']) };
await build({ ...options, entryPoints: quick, banner: {}, plugins: [ownFiles, plainBuiltins] });
