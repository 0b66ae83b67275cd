// The folder that every package installs: the program, the Node.js that it runs on, and the one module that is not bundled. It needs
// nothing of what surrounds it, and may lie anywhere.
//
//   bin/mcp-bridge.js  dist/app/…          the program
//   runtime/node                           Node.js, as its makers built and signed it
//   node_modules/keytar/…                  the keychain's module, with this platform's binary alone
//   mcp-bridge, or cmd\mcp-bridge.cmd      starts it
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBinary, nodeLicense } from './node-runtime.ts';
import { isWindows, manifest, root, type Platform } from './platforms.ts';

const keytar = 'node_modules/keytar';

/** Makes it anew at `target`, from what `npm run build` left in dist/app. */
export function makeImage(platform: Platform, target: string): void {
  if (!existsSync(join(root, 'dist/app/run.cjs'))) throw new Error('The program is not built: npm run build');
  rmSync(target, { recursive: true, force: true });
  const windows = isWindows(platform);
  const copies: readonly (readonly [from: string, to: string])[] = [
    ...['bin', 'dist/app', 'LICENSE', 'CHANGELOG.md'].map((path) => [join(root, path), path] as const),
    ...['lib', 'package.json', 'LICENSE.md', `prebuilds/${platform}`].map(
      (path) => [join(root, keytar, path), join(keytar, path)] as const,
    ),
    [nodeBinary(platform), windows ? 'runtime/node.exe' : 'runtime/node'],
    [nodeLicense(), 'runtime/LICENSE'],
    windows
      ? [join(root, 'installers/windows/mcp-bridge.cmd'), 'cmd/mcp-bridge.cmd']
      : [join(root, 'installers/unix/mcp-bridge'), 'mcp-bridge'],
  ];
  for (const [from, to] of copies) cpSync(from, join(target, to), { recursive: true });
  // Only what Node.js reads of it: how to take the files of dist/app.
  const { name, version, description, license } = manifest;
  const text = JSON.stringify({ name, version, description, license, type: 'module' }, null, 2);
  writeFileSync(join(target, 'package.json'), `${text}\n`);
  setModes(target, windows ? [] : ['mcp-bridge', 'runtime/node']);
}

/** The same for whoever builds it: nothing that only the builder may read. */
function setModes(folder: string, executables: readonly string[]): void {
  chmodSync(folder, 0o755);
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, path);
    chmodSync(file, statSync(file).isDirectory() || executables.includes(path) ? 0o755 : 0o644);
  }
}
