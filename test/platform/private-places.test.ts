// Where the daemon's files lie, who may look at them, and the lock that ends with its process.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepSecret } from '../../src/platform/daemon-secret.ts';
import { whyNoDaemon } from '../../src/front/daemon-finder.ts';
import { daemonSocket, resolvePaths } from '../../src/platform/paths.ts';
import { isPrivateDir, makePrivateDir } from '../../src/platform/private-dir.ts';
import { takeProcessLock } from '../../src/platform/process-lock.ts';

function useDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'mcp-bridge-private-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('DM6 a socket path is short enough for every system, and differs from home to home', () => {
  const deep = (name: string): string => daemonSocket({ runtimeDir: `/${'deep/'.repeat(40)}${name}` });
  expect(Buffer.byteLength(deep('a'))).toBeLessThanOrEqual(103);
  expect(deep('a')).not.toBe(deep('b'));
  expect(daemonSocket({ runtimeDir: '/run/x' })).toBe('/run/x/daemon.sock');
});

test('DM7 on Windows it is a named pipe, of a name of this home’s own', () => {
  const pipe = daemonSocket({ runtimeDir: String.raw`C:\Users\a\run` }, 'win32');
  expect(pipe).toMatch(/^\\\\\.\\pipe\\mcp-bridge-[0-9a-f]{16}$/);
  expect(daemonSocket({ runtimeDir: String.raw`C:\Users\b\run` }, 'win32')).not.toBe(pipe);
});

test('DM7 a runtime directory that others can look into is not the user’s own place', () => {
  const open = useDirectory();
  chmodSync(open, 0o755);
  onTestFinished(() => rmSync(open, { recursive: true, force: true }));
  expect(resolvePaths({ XDG_RUNTIME_DIR: open }).runtimeDir.startsWith(open)).toBe(false);
  chmodSync(open, 0o700);
  expect(resolvePaths({ XDG_RUNTIME_DIR: open }).runtimeDir).toBe(join(open, 'mcp-bridge'));
});

test('DM6 a place that cannot be reached is none of the user’s own, and no fault', () => {
  const base = useDirectory();
  const file = join(base, 'file');
  writeFileSync(file, '');
  const loop = join(base, 'loop');
  symlinkSync(loop, loop);
  for (const place of [join(file, 'run'), join(loop, 'run'), join(base, 'x'.repeat(300))]) {
    expect(isPrivateDir(place)).toBe(false);
    expect(resolvePaths({ XDG_RUNTIME_DIR: place }).runtimeDir.startsWith(base)).toBe(false);
  }
});

test('DM7 a directory is made private, or refused where that is too late', () => {
  const base = useDirectory();
  const fresh = join(base, 'a/b');
  makePrivateDir(fresh);
  expect(statSync(fresh).mode & 0o777).toBe(0o700);
  expect(isPrivateDir(fresh)).toBe(true);

  const readable = join(base, 'readable');
  mkdirSync(readable);
  chmodSync(readable, 0o755);
  expect(isPrivateDir(readable)).toBe(false);
  makePrivateDir(readable);
  expect(isPrivateDir(readable)).toBe(true);

  const writable = join(base, 'writable');
  mkdirSync(writable);
  chmodSync(writable, 0o777);
  expect(() => makePrivateDir(writable)).toThrow('could be written to by others');

  const link = join(base, 'link');
  symlinkSync(fresh, link);
  expect(isPrivateDir(link)).toBe(false);
  expect(() => makePrivateDir(link)).toThrow('not a directory of this user');
});

test('DM7 a secret is kept while it is sound, and replaced when others could have read it', () => {
  const file = join(useDirectory(), 'secret');
  const first = keepSecret(file);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(keepSecret(file)).toBe(first);
  chmodSync(file, 0o644);
  const second = keepSecret(file);
  expect(second).not.toBe(first);
  writeFileSync(file, 'short');
  expect(keepSecret(file)).not.toBe(second);
});

test('DM1 DM6 the lock is one process’s until that process is gone, however it goes', async () => {
  const file = join(useDirectory(), 'lock');
  const source = resolve(import.meta.dirname, '../../src/platform/process-lock.ts');
  const code = `import { takeProcessLock } from ${JSON.stringify(source)};
    console.log(takeProcessLock(process.argv[1]) !== undefined); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', code, file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  const said = await new Promise((done) => holder.stdout.once('data', (text) => done(String(text).trim())));
  expect(said).toBe('true');
  expect(takeProcessLock(file)).toBeUndefined();
  const gone = new Promise((done) => holder.once('exit', done));
  holder.kill('SIGKILL');
  await gone;
  const mine = takeProcessLock(file);
  expect(mine).toBeDefined();
  expect(takeProcessLock(file)).toBeUndefined();
  mine?.release();
  const again = takeProcessLock(file);
  expect(again).toBeDefined();
  again?.release();
});

test.each([
  ['plain Node.js', {}, ''],
  ['on Windows', { execPath: String.raw`C:\Program Files\nodejs\node.exe` }, ''],
  ['inside Electron', { versions: { electron: '40.0.0' } }, 'Electron'],
  ['Electron as Node.js', { env: { ELECTRON_RUN_AS_NODE: '1' } }, 'Electron'],
  [
    'a program of another name',
    { execPath: '/Applications/Claude.app/Contents/MacOS/Claude' },
    'not a plain',
  ],
  ['packed into one file', { pkg: {} }, 'not a plain'],
])('FB5 a daemon can be started from %s or not', (_what, runtime, reason) => {
  const why = whyNoDaemon({ versions: {}, execPath: '/usr/bin/node', env: {}, ...runtime });
  expect(why === undefined).toBe(reason === '');
  expect(why ?? '').toContain(reason);
});
