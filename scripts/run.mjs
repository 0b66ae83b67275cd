// Runs a script or an installed tool on the Node.js that `installers/runtime` pins, whatever Node.js started this.
//
//   node scripts/run.mjs [--build] <file | tool> [arguments…]
//
// Plain JavaScript without dependencies, because it runs before anything is installed (Node.js 20 is enough):
// it installs what package-lock.json names when that is missing or out of date, builds when asked to, and then
// hands over: same standard streams, signals passed on, same exit code.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Installs from the lock file, once for each content of it; false when that failed. Of several processes, one installs. */
function ensureInstalled() {
  const stamp = join(root, 'node_modules', '.mcp-bridge-installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const isCurrent = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (isCurrent()) return true;

  const lock = join(root, '.install.lock');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (!takeLock(lock)) Atomics.wait(pause, 0, 0, 500);
  try {
    if (isCurrent()) return true;
    console.error('Installing what package-lock.json names (once) …');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const result = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    });
    if (result.status !== 0) {
      console.error(
        '`npm ci` failed; its message is above. Check the connection to the npm registry and try again.',
      );
      process.exitCode = result.status ?? 1;
      return false;
    }
    writeFileSync(stamp, wanted);
    return true;
  } finally {
    rmSync(lock, { force: true });
  }
}

/** The lock is a file with its holder's pid; one whose holder is gone (a killed install) is taken over. */
function takeLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(lock, { force: true });
  }
  return false;
}

/** The pinned runtime of this platform; where none is installed (another architecture), the Node.js that runs this. */
function pinnedNode() {
  const { runtimes } = JSON.parse(readFileSync(join(root, 'installers/runtime/package.json'), 'utf8'));
  const name = runtimes[`${process.platform}-${process.arch}`];
  const file =
    name && join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return file && existsSync(file) ? file : process.execPath;
}

/** A path as it is; else the JavaScript file behind an installed tool's name. */
function resolveTarget(target) {
  if (/\.(ts|m?js)$/.test(target)) return resolve(root, target);
  const require = createRequire(join(root, 'package.json'));
  for (const base of require.resolve.paths(target) ?? []) {
    const shim = join(base, '.bin', target);
    if (existsSync(shim)) return realpathSync(shim);
  }
  throw new Error(`No tool named ${target} is installed.`);
}

function main() {
  const args = process.argv.slice(2);
  const build = args[0] === '--build';
  if (build) args.shift();
  const [target, ...rest] = args;
  if (target === undefined)
    throw new Error('Usage: node scripts/run.mjs [--build] <file | tool> [arguments…]');

  if (!ensureInstalled()) return;
  const node = pinnedNode();
  // Tools that start `node` themselves get the same one.
  const env = {
    ...process.env,
    PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}`,
  };
  if (build) {
    const result = spawnSync(node, [join(root, 'scripts/build.mjs')], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env,
    });
    if (result.status !== 0) process.exit(result.status ?? 1);
  }
  const child = spawn(node, [resolveTarget(target), ...rest], { cwd: root, stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

main();
