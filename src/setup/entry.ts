// What stands in a client's list for one service: which program to launch, with which words. Absolute paths, because clients have a PATH
// of their own; no secret; no space inside an argument, because some clients on Windows take such an argument apart.

import type { Values } from '../config/config-file.ts';
import type { ClientSpec } from './clients.ts';

export interface Entry {
  readonly type?: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What is launched. */
export interface Program {
  readonly node: string;
  /** Without a space in it. */
  readonly script: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Clients keep most of their environment to themselves. These say where the bridge's own files are. */
const PLACES = ['XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME'];
const HOME = 'MCP_BRIDGE_HOME';
/** The way to the network, in either case of its letters. */
const WAYS = [
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'https_proxy',
  'http_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
];

export function entryFor(
  { node, script }: Program,
  profile: string,
  env: Environment,
  { hasType }: Pick<ClientSpec, 'hasType'>,
): Entry {
  const home = env[HOME];
  const names = [...(home === undefined || home === '' ? PLACES : [HOME]), ...WAYS];
  const kept = names.flatMap((name) => {
    const value = env[name];
    if (value === undefined || value === '') return [];
    // A proxy's password is a secret; a directory may have any name.
    return /proxy$/i.test(name) && value.includes('@') ? [] : [[name, value] as const];
  });
  return {
    ...(hasType ? { type: 'stdio' as const } : undefined),
    command: node,
    args: [script, 'run', profile],
    ...(kept.length === 0 ? undefined : { env: Object.fromEntries(kept) }),
  };
}

/** What the entry has the bridge run: a profile or a URL. Undefined where it launches something else. */
export function bridgedBy(entry: unknown): string | undefined {
  const words = wordsOf(entry);
  const at = words.findIndex((word) => /^mcp-bridge(\.(js|cmd|exe))?$/i.test(baseName(word)));
  if (at < 0) return undefined;
  const [first, second] = words.slice(at + 1).filter((word) => !word.startsWith('--'));
  return first === 'run' ? second : first;
}

/** The command and its arguments. */
export function wordsOf(entry: unknown): string[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { command, args } = entry as Values;
  return [command, ...(Array.isArray(args) ? (args as unknown[]) : [])].filter(
    (word) => typeof word === 'string',
  );
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? '';
}
