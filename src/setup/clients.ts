// The programs that `setup` knows: where each keeps its list of MCP servers, what an entry looks like there, and how it takes up a
// change. Names alone; nothing is read but directories.

import { posix, win32 } from 'node:path';

export type ClientId = 'claude-desktop' | 'claude-code' | 'cursor' | 'vscode';

/** This machine, as far as it says where things are. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly exists: (path: string) => boolean;
  /** The names in a directory; none where there is none. */
  readonly list: (path: string) => readonly string[];
}

export interface ClientSpec {
  readonly id: ClientId;
  readonly title: string;
  /** The key of the object that holds the entries. */
  readonly section: 'mcpServers' | 'servers';
  /** Whether the program reads comments in the file. */
  readonly syntax: 'json' | 'jsonc';
  /** Whether an entry says `"type": "stdio"`. */
  readonly hasType: boolean;
  /** Its processes, where it rewrites the file while it runs: by their names on Linux, macOS and Windows. */
  readonly processes: readonly string[];
  /** What makes it read the file again. */
  readonly reload: string;
  /** Every place where it may keep the file on this machine, the usual one first. */
  places(machine: Machine): string[];
}

export const CLIENTS: Readonly<Record<ClientId, ClientSpec>> = {
  // https://modelcontextprotocol.io/docs/develop/connect-local-servers; the app for Linux follows XDG as Electron does. Installed from
  // the Microsoft Store, Windows shows it a copy of %APPDATA% below Packages\Claude_<publisher>.
  'claude-desktop': {
    id: 'claude-desktop',
    title: 'Claude Desktop',
    section: 'mcpServers',
    syntax: 'json',
    hasType: false,
    processes: ['claude-desktop', 'Claude', 'Claude.exe'],
    reload: 'Quit Claude Desktop completely (its menu → Quit, not only the window), then start it again.',
    places(machine) {
      const file = 'claude_desktop_config.json';
      const { join } = pathsOf(machine);
      if (machine.platform !== 'win32') return [join(appData(machine), 'Claude', file)];
      const packages = join(localAppData(machine), 'Packages');
      const packaged = machine.list(packages).filter((name) => /^Claude_/i.test(name));
      return [
        join(appData(machine), 'Claude', file),
        ...packaged.map((name) => join(packages, name, 'LocalCache', 'Roaming', 'Claude', file)),
      ];
    },
  },
  // https://code.claude.com/docs/en/mcp: the user scope is `mcpServers` at the top of ~/.claude.json, which is what
  // `claude mcp add --scope user` writes.
  'claude-code': {
    id: 'claude-code',
    title: 'Claude Code',
    section: 'mcpServers',
    syntax: 'json',
    hasType: true,
    processes: ['claude', 'claude.exe'],
    reload: 'Start Claude Code anew; `/mcp` there shows the entry.',
    places: (machine) => [
      pathsOf(machine).join(machine.env['CLAUDE_CONFIG_DIR'] || machine.home, '.claude.json'),
    ],
  },
  // https://cursor.com/docs/mcp: the global file.
  cursor: {
    id: 'cursor',
    title: 'Cursor',
    section: 'mcpServers',
    syntax: 'json',
    hasType: true,
    processes: [],
    reload: 'Switch the entry on in Cursor (Settings → MCP), or restart it.',
    places: (machine) => [pathsOf(machine).join(machine.home, '.cursor', 'mcp.json')],
  },
  // https://code.visualstudio.com/docs/copilot/reference/mcp-configuration: the file of the user's profile, with `servers` and a type.
  vscode: {
    id: 'vscode',
    title: 'VS Code',
    section: 'servers',
    syntax: 'jsonc',
    hasType: true,
    processes: [],
    reload: 'VS Code notices by itself; `MCP: List Servers` there shows the entry.',
    places: (machine) =>
      ['Code', 'Code - Insiders'].map((name) =>
        pathsOf(machine).join(appData(machine), name, 'User', 'mcp.json'),
      ),
  },
};

export const CLIENT_IDS = Object.keys(CLIENTS) as ClientId[];

/** The places that this machine uses: each whose directory is there, else the usual one. */
export function usedPlaces(client: ClientSpec, machine: Machine): string[] {
  const places = client.places(machine);
  const { dirname } = pathsOf(machine);
  const used = places.filter((place) => machine.exists(place) || machine.exists(dirname(place)));
  return used.length > 0 ? used : places.slice(0, 1);
}

/** Whether there is a sign that the program is used here. */
export function isPresent(client: ClientSpec, machine: Machine): boolean {
  const { dirname } = pathsOf(machine);
  return client
    .places(machine)
    .some(
      (place) => machine.exists(place) || (dirname(place) !== machine.home && machine.exists(dirname(place))),
    );
}

function pathsOf({ platform }: Machine): typeof posix {
  return platform === 'win32' ? win32 : posix;
}

function appData({ platform, env, home }: Machine): string {
  switch (platform) {
    case 'darwin':
      return posix.join(home, 'Library', 'Application Support');
    case 'win32':
      return env['APPDATA'] || win32.join(home, 'AppData', 'Roaming');
    default:
      return env['XDG_CONFIG_HOME'] || posix.join(home, '.config');
  }
}

function localAppData({ env, home }: Machine): string {
  return env['LOCALAPPDATA'] || win32.join(home, 'AppData', 'Local');
}
