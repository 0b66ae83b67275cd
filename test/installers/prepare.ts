// Before the tests of the installers: builds the packages that this machine can try, and beside it a clean Debian. Both take most of
// the time, so both can be kept: MCP_BRIDGE_CLEAN_ROOT names a folder for the Debian, and with MCP_BRIDGE_PACKAGES=built the packages
// of dist/installers are taken as they are.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { CleanRoot, whyNoCleanRoot } from './clean-root.ts';

const root = resolve(import.meta.dirname, '../..');
const limitMs = 10 * 60_000;

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the clean Debian lies, or why there is none. */
    cleanRoot: { path: string } | { reason: string };
    packages: string;
  }
}

export default async function prepare(project: TestProject): Promise<() => void> {
  const kept = process.env['MCP_BRIDGE_CLEAN_ROOT'];
  const reason = whyNoCleanRoot();
  const path = kept ?? mkdtempSync(join(tmpdir(), 'mcp-bridge-root-'));
  const isThere = existsSync(join(path, 'etc/debian_version'));
  const debian = ['--variant=minbase', '--include=libatomic1,zsh', 'bookworm', path];
  await Promise.all([
    reason === undefined && !isThere ? run('debootstrap', debian) : undefined,
    process.env['MCP_BRIDGE_PACKAGES'] === 'built' ? undefined : buildPackages(),
  ]);
  const clean = reason === undefined ? new CleanRoot(path) : undefined;
  clean?.open();
  project.provide('cleanRoot', reason === undefined ? { path } : { reason });
  project.provide('packages', join(root, 'dist/installers'));
  return () => {
    clean?.close();
    if (kept === undefined) rmSync(path, { recursive: true, force: true });
  };
}

function buildPackages(): Promise<void> {
  const own = `${process.platform}-${process.arch}`;
  const kinds = ['npm', 'unix', 'mcpb', ...(own === 'linux-x64' ? ['deb'] : [])];
  return run(process.execPath, [join(root, 'installers/main.ts'), ...kinds, '--platform', own]);
}

/** Its output comes only with its failure. */
async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((done, fail) => child.once('close', done).once('error', fail));
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}:\n${output.slice(-3000)}`);
}
