// Bundles the program into dist/app: one file an entry, so that a launch reads few files. Native modules stay outside.
import { build } from 'esbuild';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { licensesOf } from './third-party.mjs';

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
  // Its `main` is UMD, whose files a bundler cannot follow.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  define: { __VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
  metafile: true,
};

/**
 * What has to start fast is CommonJS: an ES module that imports node:fs or node:process has every export of theirs made, and
 * with them loads thirty modules that a launch does not need. A front pays some 4 ms and 6 MB for that, a daemon 20 ms.
 * @type {import('esbuild').BuildOptions}
 */
const quick = {
  ...shared,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { ...shared.define, 'import.meta.dirname': '__dirname' },
  supported: { 'dynamic-import': false },
  minifyWhitespace: true,
};

/** What is imported only when it turns out to be needed stays a file of its own. */
const late = {
  'in-process': 'src/front/in-process.ts',
  serve: 'src/daemon/serve.ts',
  renewal: 'src/auth/renewal.ts',
  'page-sign-in': 'src/auth/page-sign-in.ts',
};
const isLate = (path) => Object.hasOwn(late, basename(path, '.ts'));
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /\.ts$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' && isLate(path)
        ? { path: path.replace(/\.ts$/, '.cjs'), external: true }
        : undefined,
    );
  },
};

rmSync(join(root, 'dist/app'), { recursive: true, force: true });
const quickBuild = await build({
  ...quick,
  entryPoints: {
    ...late,
    run: 'src/front/run.ts',
    daemon: 'src/daemon/main.ts',
    keychain: 'src/auth/store/keychain-child.ts',
  },
  plugins: [apart],
});
/**
 * Takes Node's own modules as they are where only their default export is used. Else the helper for imports makes a copy of each of them,
 * a getter for every export, which costs a launch most of a millisecond.
 */
function useBuiltinsAsTheyAre(file) {
  const text = readFileSync(file, 'utf8');
  const plain = text.replaceAll(/\b(\w+)=__toESM\(require\("(node:[\w/]+)"\),1\)/g, (copy, name, module) => {
    const uses = text.match(new RegExp(`\\b${name}\\b(?!=__toESM)(\\.default\\b)?`, 'g')) ?? [];
    return uses.every((use) => use.endsWith('.default')) ? `${name}={default:require("${module}")}` : copy;
  });
  writeFileSync(file, plain);
}
for (const file of Object.keys(quickBuild.metafile.outputs))
  if (file.endsWith('.cjs')) useBuiltinsAsTheyAre(join(root, file));

/** What is imported when it is needed becomes a file of its own, which is whole. */
const ownFiles = {
  name: 'own-files',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/[a-z-]+\.ts$/ }, ({ path, kind }) =>
      kind === 'dynamic-import'
        ? {
            path: path.replace(/^\.+/, '.').replace(/ts$/, isLate(path) ? 'cjs' : 'js'),
            external: true,
          }
        : undefined,
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

/** CommonJS dependencies call `require` for Node's own modules. */
const banner = {
  js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
};
// Not split, because each file costs `mcp-bridge status` half a millisecond of some forty. So no class of one file is the same in
// another.
const filesOf = (names) => Object.fromEntries(names.map((name) => [name, `src/cli/${name}.ts`]));
const peopleBuild = await build({
  ...shared,
  entryPoints: filesOf(['help', 'setup', 'config', 'doctor', 'login', 'logout']),
  banner,
  plugins: [ownFiles],
});
const commands = { cli: 'src/cli/main.ts', ...filesOf(['status', 'watch', 'logs', 'reset', 'stop']) };
const commandBuild = await build({ ...shared, entryPoints: commands, plugins: [ownFiles, plainBuiltins] });

const metafiles = [quickBuild, peopleBuild, commandBuild].map(({ metafile }) => metafile);
writeFileSync(join(root, 'dist/app/third-party-licenses.txt'), licensesOf(root, metafiles));
