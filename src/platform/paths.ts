// Where things lie: under MCP_BRIDGE_HOME when that is set, else at the platform's own places.

import { join } from 'node:path';
import envPaths from 'env-paths';

export interface Paths {
  readonly configFile: string;
  readonly stateDir: string;
  readonly cacheDir: string;
}

export function resolvePaths(env: Readonly<Record<string, string | undefined>>): Paths {
  const home = env['MCP_BRIDGE_HOME'];
  if (home !== undefined && home !== '') {
    return {
      configFile: join(home, 'config.json'),
      stateDir: join(home, 'state'),
      cacheDir: join(home, 'cache'),
    };
  }
  const places = envPaths('mcp-bridge', { suffix: '' });
  return { configFile: join(places.config, 'config.json'), stateDir: places.log, cacheDir: places.cache };
}
