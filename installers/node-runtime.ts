// Where the official binary of Node.js for a platform lies. That of this machine is installed; that of another one is had from the
// npm registry once, kept below node_modules/.cache, and taken only when it is what package-lock.json names.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isWindows, nodePackageOf, readJson, root, type Platform } from './platforms.ts';
import { runTool } from './run-tool.ts';

const cache = join(root, 'node_modules/.cache/mcp-bridge-runtimes');

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** The binary, as it was published: nothing may change it, since those of macOS and Windows are signed. */
export function nodeBinary(platform: Platform): string {
  const file = join('bin', isWindows(platform) ? 'node.exe' : 'node');
  const { name, version } = nodePackageOf(platform);
  const installed = join(root, 'node_modules', name, file);
  if (existsSync(installed)) return installed;
  const kept = join(cache, `${name}-${version}`);
  if (!existsSync(kept)) fetchPackage(name, version, kept);
  return join(kept, file);
}

function fetchPackage(name: string, version: string, target: string): void {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'new-'));
  try {
    const npm = ['pack', `${name}@${version}`, '--silent', '--pack-destination', work];
    const archive = join(work, runTool('npm', 'npm', npm, { cwd: work }).trim());
    const { integrity } = (readJson('package-lock.json') as Lock).packages[`node_modules/${name}`] ?? {};
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (found !== integrity)
      throw new Error(`${name}@${version} is ${found}, and package-lock.json wants ${integrity}.`);
    runTool('tar', 'tar', ['-xzf', archive, '-C', work]);
    renameSync(join(work, 'package'), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The licence of Node.js and of all that is built into it, the same for each platform; not every package brings it. */
export function nodeLicense(): string {
  return resolve(nodeBinary('linux-x64'), '../../LICENSE');
}
