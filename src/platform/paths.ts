// Where things lie: under MCP_BRIDGE_HOME when that is set, else at the platform's own places. Names alone; nothing is made.

import { statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, posix, win32 } from 'node:path';
import envPaths from 'env-paths';

export interface Paths {
  readonly configFile: string;
  /** An administrator's, for all users of the machine. */
  readonly managedConfigFile: string;
  readonly stateDir: string;
  readonly cacheDir: string;
  /** What belongs to the running daemon: its socket, its lock, its secret. */
  readonly runtimeDir: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the kernel's `sun_path` holds on every system, in bytes, without its final zero (104 on macOS, 108 on Linux). */
const SOCKET_PATH_MAX = 103;

export function resolvePaths(env: Environment): Paths {
  const home = env['MCP_BRIDGE_HOME'];
  if (home !== undefined && home !== '') {
    return {
      configFile: join(home, 'config.json'),
      managedConfigFile: managedConfigFile(process.platform, env),
      stateDir: join(home, 'state'),
      cacheDir: join(home, 'cache'),
      runtimeDir: join(home, 'run'),
    };
  }
  const places = envPaths('mcp-bridge', { suffix: '' });
  return {
    configFile: join(places.config, 'config.json'),
    managedConfigFile: managedConfigFile(process.platform, env),
    stateDir: places.log,
    cacheDir: places.cache,
    runtimeDir: userRuntimeDir(env) ?? join(places.log, 'run'),
  };
}

/** Where only administrators write. MCP_BRIDGE_HOME does not move it, or it would lock nothing. */
export function managedConfigFile(platform: NodeJS.Platform, env: Environment): string {
  switch (platform) {
    case 'darwin':
      return posix.join('/Library/Application Support', 'mcp-bridge', 'config.json');
    case 'win32':
      return win32.join(env['ProgramData'] || 'C:\\ProgramData', 'mcp-bridge', 'config.json');
    default:
      return '/etc/mcp-bridge/config.json';
  }
}

/**
 * The user's runtime directory of systemd, which is local, private and emptied at logout. Where the variable is not set, as
 * for what cron starts, the directory is the same, so that there is still one daemon.
 */
function userRuntimeDir(env: Environment): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const uid = process.getuid?.();
  for (const dir of [env['XDG_RUNTIME_DIR'], `/run/user/${uid}`]) {
    if (dir === undefined || !dir.startsWith('/')) continue;
    try {
      const found = statSync(dir, { throwIfNoEntry: false });
      if (found?.isDirectory() === true && found.uid === uid && (found.mode & 0o077) === 0)
        return join(dir, 'mcp-bridge');
    } catch {
      // It cannot be reached, as below a file.
    }
  }
  return undefined;
}

/** Where the daemon listens: a Unix socket, or a named pipe on Windows. */
export function daemonSocket({ runtimeDir }: Pick<Paths, 'runtimeDir'>, platform = process.platform): string {
  if (platform === 'win32') return `\\\\.\\pipe\\mcp-bridge-${shortHash(`${homedir()} ${runtimeDir}`)}`;
  const path = join(runtimeDir, 'daemon.sock');
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX) return path;
  // Anyone may make this directory, so who listens there has to look at its owner: see makePrivateDir and isPrivateDir.
  const name = join(`mcp-bridge-${process.getuid?.() ?? 0}`, `${shortHash(runtimeDir)}.sock`);
  const inTemp = join(tmpdir(), name);
  return Buffer.byteLength(inTemp) <= SOCKET_PATH_MAX ? inTemp : join('/tmp', name);
}

/** The directory that must be private for the socket to be; undefined where it is no file (Windows). */
export function daemonSocketDir(paths: Pick<Paths, 'runtimeDir'>): string | undefined {
  return process.platform === 'win32' ? undefined : dirname(daemonSocket(paths));
}

/** Holds what every request on the socket must carry. */
export function daemonSecretFile({ runtimeDir }: Pick<Paths, 'runtimeDir'>): string {
  return join(runtimeDir, 'daemon.secret');
}

/** Locked for as long as the daemon lives. */
export function daemonLockFile({ runtimeDir }: Pick<Paths, 'runtimeDir'>): string {
  return join(runtimeDir, 'daemon.lock');
}

/**
 * Tells two directories apart; guards nothing. FNV-1a with 64 bits, because loading node:crypto would cost a launch a quarter
 * of its time.
 */
function shortHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}
