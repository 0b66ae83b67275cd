// Where things lie: under MCP_BRIDGE_HOME when that is set, else at the platform's own places.

import { join } from 'node:path';
import envPaths from 'env-paths';

export interface Paths {
  readonly configFile: string;
  readonly stateDir: string;
  readonly cacheDir: string;
  readonly runtimeDir: string;
}

export function resolvePaths(env: Readonly<Record<string, string | undefined>>): Paths {
  const home = env['MCP_BRIDGE_HOME'];
  if (home !== undefined && home !== '') {
    return {
      configFile: join(home, 'config.json'),
      stateDir: join(home, 'state'),
      cacheDir: join(home, 'cache'),
      runtimeDir: join(home, 'run'),
    };
  }
  const places = envPaths('mcp-bridge', { suffix: '' });
  return {
    configFile: join(places.config, 'config.json'),
    stateDir: places.log,
    cacheDir: places.cache,
    runtimeDir: join(env['XDG_RUNTIME_DIR'] ?? places.log, 'mcp-bridge'),
  };
}

export function daemonSocket(paths: Paths): string {
  return join(paths.runtimeDir, 'daemon.sock');
}

export function daemonSecretFile(paths: Paths): string {
  return join(paths.runtimeDir, 'daemon.secret');
}
