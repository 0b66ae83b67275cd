// The last step: whether Claude Desktop's configuration launches the bridge.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failed, ok, warning, type Verdict } from './step.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const FILE = 'claude_desktop_config.json';

/** Where Claude Desktop keeps it. On Windows there are two: one for each way to install the app. */
export function configPlaces(platform: NodeJS.Platform, env: Environment, home: string): string[] {
  switch (platform) {
    case 'darwin':
      return [join(home, 'Library', 'Application Support', 'Claude', FILE)];
    case 'win32': {
      const roaming = env['APPDATA'] ?? join(home, 'AppData', 'Roaming');
      const local = env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local');
      const packaged = join(
        local,
        'Packages',
        'Claude_pzs8sxrjxfjjc',
        'LocalCache',
        'Roaming',
        'Claude',
        FILE,
      );
      return [join(roaming, 'Claude', FILE), packaged];
    }
    default:
      return [join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'Claude', FILE)];
  }
}

/** @param target what the bridge was asked to examine, as its entry would name it */
export function examineClientConfig(places: readonly string[], target: string, url: string | null): Verdict {
  const found = places.flatMap((path) => {
    const text = read(path);
    return text === undefined ? [] : [{ path, text }];
  });
  const [first] = found;
  if (first === undefined) {
    const remedy =
      'If you use Claude Desktop: open Settings → Developer → Edit Config, and add the entry that the README shows.';
    return warning('Claude Desktop has no configuration here', remedy);
  }
  for (const { path, text } of found) {
    const servers = serversIn(text);
    if (servers === undefined) {
      return failed(
        `${path} is not valid JSON`,
        'Correct it (Settings → Developer → Edit Config), then restart Claude Desktop.',
      );
    }
    const own = servers.filter(([, words]) => words.some((word) => /mcp-bridge/.test(word)));
    const exact = own.find(([, words]) => words.some((word) => word === target || word === url));
    if (exact !== undefined) return ok(`the entry "${exact[0]}" in ${path} launches it`);
    const other = own[0];
    if (other !== undefined) {
      const remedy = `Add an entry for ${target} there if Claude Desktop is to use it.`;
      return warning(`${path} launches mcp-bridge ("${other[0]}"), but for another service`, remedy);
    }
  }
  const remedy =
    'Add the entry that the README shows (Settings → Developer → Edit Config), then restart Claude Desktop.';
  return warning(`${first.path} does not mention mcp-bridge`, remedy);
}

/** Each server's name, and the words of its command line; undefined where it is not valid JSON. */
function serversIn(text: string): [string, string[]][] | undefined {
  try {
    const config = JSON.parse(text.replace(/^\uFEFF/, '')) as { mcpServers?: unknown } | null;
    const servers = Object.entries((config?.mcpServers ?? {}) as Record<string, unknown>);
    return servers.map(([name, entry]) => {
      const { command, args } = (entry ?? {}) as { command?: unknown; args?: unknown };
      const words = [command, ...(Array.isArray(args) ? (args as unknown[]) : [])];
      return [name, words.filter((word) => typeof word === 'string')];
    });
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
