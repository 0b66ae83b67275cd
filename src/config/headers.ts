// Extra headers: their names, and the environment variables that their values come from.

import { ConfigError } from './config-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What the bridge sets itself. */
const OWN_HEADERS = [
  'accept',
  'content-type',
  'content-length',
  'connection',
  'host',
  'mcp-session-id',
  'mcp-protocol-version',
  'last-event-id',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
];

/** The name in lower case, and the variable. @throws ConfigError */
export function parseHeaderSource(given: string): { readonly name: string; readonly variable: string } {
  const match = /^([^=]+)=env:(.+)$/.exec(given);
  if (match === null) {
    throw new ConfigError(
      'A header is given as NAME=env:VARIABLE, so that its value stays out of files and process lists.',
    );
  }
  const name = (match[1] as string).trim().toLowerCase();
  if (!HEADER_NAME.test(name)) throw new ConfigError(`"${name}" is not a valid header name.`);
  if (OWN_HEADERS.includes(name))
    throw new ConfigError(`The header "${name}" is set by the bridge and cannot be given.`);
  return { name, variable: match[2] as string };
}

/** @param given as `NAME=env:VARIABLE` @throws ConfigError */
export function parseHeaders(given: readonly string[], env: Environment): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const item of given) {
    const { name, variable } = parseHeaderSource(item);
    const value = env[variable];
    if (value === undefined)
      throw new ConfigError(`The header "${name}" takes its value from ${variable}, which is not set.`);
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)) {
      throw new ConfigError(
        `The value of ${variable} cannot be sent as the header "${name}": it holds a line break or a character outside Latin-1.`,
      );
    }
    headers[name] = value;
  }
  return headers;
}

/** The header for a token from the environment: for where there is no keychain, and for machines without people. @throws ConfigError */
export function tokenHeader(env: Environment): Readonly<Record<string, string>> {
  const token = env['MCP_BRIDGE_TOKEN'];
  // An optional field of a bundle's that nobody filled in may come as its own placeholder.
  if (token === undefined || token === '' || /^\$\{[\w.]+\}$/.test(token)) return {};
  if (!/^[\u0021-\u007e]+$/.test(token))
    throw new ConfigError(
      'MCP_BRIDGE_TOKEN holds what no token can: a space, a line break or a letter outside ASCII.',
    );
  return { authorization: `Bearer ${token}` };
}
