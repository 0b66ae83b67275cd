// Decides what a launch works with: which service, which headers, and each setting's value, from flags, environment,
// profile and config file, in this order of precedence (first wins).

import { readFileSync } from 'node:fs';
import {
  SETTINGS,
  flagName,
  parseSetting,
  rangeOf,
  variableName,
  type SettingName,
  type SettingSpec,
  type Settings,
} from './settings.ts';
import { scanEnvelope } from '../protocol/envelope.ts';
import { nearest } from './nearest.ts';

/** A value that a person gave and that cannot be used; the message says what is accepted. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ERR_CONFIG_INVALID';
}

export interface Profile {
  readonly name: string;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Resolved {
  readonly profile: Profile;
  readonly settings: Settings;
}

export interface RunArguments {
  readonly target: string;
  /** Flags by their names without dashes, as in `request-timeout-ms`. */
  readonly flags: Readonly<Record<string, string | boolean>>;
  /** As given to --header: `NAME=env:VARIABLE`. */
  readonly headers: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;
type Values = Readonly<Record<string, unknown>>;

/** @throws ConfigError */
export function resolveRun(args: RunArguments, env: Environment, configFile: string): Resolved {
  const file = readConfig(configFile);
  const profiles = section(file['profiles'], `"profiles" in ${configFile}`);
  const { profile: chosen, values } = chooseProfile(args.target, profiles, env, configFile);

  const settings: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(SETTINGS) as [SettingName, SettingSpec][]) {
    const sources: [string, unknown][] = [
      [`--${flagName(name)}`, args.flags[flagName(name)]],
      // A variable that is set to nothing counts as not set.
      [variableName(name), env[variableName(name)] || undefined],
      [`"${name}" of the profile`, values[name]],
      [`"${name}" in ${configFile}`, file[name]],
    ];
    const given = sources.find(([, raw]) => raw !== undefined);
    const value = given === undefined ? spec.default : parseSetting(spec, given[1]);
    if (value === undefined) {
      throw new ConfigError(
        `${given?.[0]} is ${JSON.stringify(given?.[1])}, but it must be ${rangeOf(spec)}.`,
      );
    }
    settings[name] = value;
  }
  // The table and the type of Settings are made from the same rows.
  const resolved = settings as Settings;
  checkScheme(chosen.url, resolved.allowHttp);
  const headers = { ...chosen.headers, ...parseHeaders(args.headers, env) };
  return { profile: { ...chosen, headers }, settings: resolved };
}

/** The names of the profiles in the config file. @throws ConfigError */
export function profileNames(configFile: string): string[] {
  return Object.keys(section(readConfig(configFile)['profiles'], `"profiles" in ${configFile}`));
}

function chooseProfile(
  target: string,
  known: Values,
  env: Environment,
  where: string,
): { profile: Profile; values: Values } {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) {
    return {
      profile: { name: parseUrl(target).host, url: parseUrl(target), headers: {} },
      values: {},
    };
  }
  if (!Object.hasOwn(known, target)) {
    const hint = nearest(target, Object.keys(known));
    throw new ConfigError(
      `There is no profile "${target}" in ${where}.${hint === undefined ? '' : ` Did you mean "${hint}"?`} ` +
        'Give the URL of a service (https://…), or add the profile there.',
    );
  }
  const entry = section(known[target], `profile "${target}"`);
  checkKeys(entry, ['url', 'headers', ...Object.keys(SETTINGS)], `profile "${target}"`);
  if (typeof entry['url'] !== 'string')
    throw new ConfigError(`Profile "${target}" in ${where} has no "url".`);
  const pairs = Object.entries(section(entry['headers'], `"headers" of profile "${target}"`));
  const headers = parseHeaders(
    pairs.map(([name, value]) => `${name}=${String(value)}`),
    env,
  );
  return { profile: { name: target, url: parseUrl(entry['url']), headers }, values: entry };
}

function readConfig(path: string): Values {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError(
      `The config file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      { cause: error },
    );
  }
  const bytes = Buffer.from(text.replace(/^\uFEFF/, ''));
  const scan = scanEnvelope(bytes);
  if (scan.kind === 'not-json') {
    const { line, column } = positionOf(bytes, scan.at);
    throw new ConfigError(
      `The config file ${path} is not valid JSON: ${scan.reason} at line ${line} column ${column}. It was not changed.`,
    );
  }
  const parsed: unknown = JSON.parse(bytes.toString());
  const values = section(parsed, path);
  checkKeys(values, ['profiles', ...Object.keys(SETTINGS)], path);
  return values;
}

/** Both counted from 1, the column in characters. */
function positionOf(bytes: Buffer, at: number): { readonly line: number; readonly column: number } {
  const lines = bytes.toString('utf8', 0, at).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}

function section(value: unknown, what: string): Values {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values;
  throw new ConfigError(`${what} must be a JSON object.`);
}

function checkKeys(values: Values, known: readonly string[], what: string): void {
  const unknown = Object.keys(values).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const hint = nearest(unknown, known);
  throw new ConfigError(
    `${what} has the unknown key "${unknown}".${hint === undefined ? '' : ` Did you mean "${hint}"?`}`,
  );
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text))
    throw new ConfigError(`"${text}" is not a URL. Give one like https://example.com/mcp.`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(
      'The URL holds a user name or password, which would end up in logs. Use --header instead.',
    );
  }
  url.hash = '';
  return url;
}

function checkScheme(url: URL, allowHttp: boolean): void {
  if (url.protocol === 'https:') return;
  if (url.protocol !== 'http:')
    throw new ConfigError(`The URL begins with "${url.protocol}//", but only https:// can be used.`);
  if (allowHttp || isLoopback(url.hostname)) return;
  throw new ConfigError(
    `${url.origin} is not encrypted: everything sent there, tokens included, could be read and changed on the way. ` +
      'Use https://, or give --allow-http if you accept that.',
  );
}

/** Whether the host is this machine by name or number, without asking DNS. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}

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

function parseHeaders(given: readonly string[], env: Environment): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const item of given) {
    const match = /^([^=]+)=env:(.+)$/.exec(item);
    if (match === null) {
      throw new ConfigError(
        'A header is given as NAME=env:VARIABLE, so that its value stays out of files and process lists.',
      );
    }
    const name = (match[1] as string).trim().toLowerCase();
    const variable = match[2] as string;
    if (!HEADER_NAME.test(name)) throw new ConfigError(`"${name}" is not a valid header name.`);
    if (OWN_HEADERS.includes(name))
      throw new ConfigError(`The header "${name}" is set by the bridge and cannot be given.`);
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
