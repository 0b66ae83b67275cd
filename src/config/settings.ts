// Every setting, in one table: what it means, its unit, its default and its range. From a row come the flag
// (`--foo-bar-ms`), the environment variable (`MCP_BRIDGE_FOO_BAR_MS`) and the config key (`fooBarMs`).

import { isAbsolute } from 'node:path';

interface NumberSpec {
  readonly type: 'number';
  readonly unit: 'ms' | 'bytes' | 'count';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly about: string;
}

interface ChoiceSpec<T extends string = string> {
  readonly type: 'choice';
  readonly choices: readonly T[];
  readonly default: T;
  readonly about: string;
}

interface SwitchSpec {
  readonly type: 'switch';
  readonly default: boolean;
  readonly about: string;
}

/** Empty where there is none. */
interface TextSpec {
  readonly type: 'text';
  readonly form: keyof typeof TEXT_FORMS;
  readonly default: '';
  readonly about: string;
}

export type SettingSpec = NumberSpec | ChoiceSpec | SwitchSpec | TextSpec;

/** What a text has to be, and the words for it. */
const TEXT_FORMS = {
  path: {
    range: 'an absolute path, or one that begins with ~/',
    fits: (text: string) => isAbsolute(text) || text.startsWith('~/'),
  },
  proxy: {
    range: 'http://HOST:PORT, https://HOST:PORT, or none',
    fits: (text: string) => text === 'none' || isProxyUrl(text),
  },
} as const;

function isProxyUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text) && ['', '/'].includes(new URL(text).pathname);
}

const KIB = 1024;
const MIB = 1024 * KIB;

const ms = (preset: number, min: number, max: number, about: string): NumberSpec => {
  return { type: 'number', unit: 'ms', default: preset, min, max, about };
};
const bytes = (preset: number, about: string): NumberSpec => {
  return { type: 'number', unit: 'bytes', default: preset, min: KIB, max: KIB * MIB, about };
};
const count = (preset: number, min: number, max: number, about: string): NumberSpec => {
  return { type: 'number', unit: 'count', default: preset, min, max, about };
};

const text = (form: TextSpec['form'], about: string): TextSpec => {
  return { type: 'text', form, default: '', about };
};

export const SETTINGS = {
  requestTimeoutMs: ms(30_000, 100, 3_600_000, 'Longest wait for an answer, but for tool calls.'),
  toolTimeoutMs: ms(
    230_000,
    100,
    86_400_000,
    'Longest wait for a tool call. The default lets the bridge answer before Claude Desktop gives up (240 s).',
  ),
  toolTimeoutMaxMs: ms(
    1_800_000,
    100,
    86_400_000,
    'Longest wait for a tool call that keeps reporting progress; not for clients with a fixed limit of their own.',
  ),
  initializeTimeoutMs: ms(20_000, 100, 600_000, 'Longest wait for a handshake with the service.'),
  outagePatienceMs: ms(
    15_000,
    0,
    3_600_000,
    'How long requests wait in silence for a service that is away; in a longer outage they are told so.',
  ),
  healthIntervalMs: ms(
    60_000,
    100,
    3_600_000,
    'Time without traffic after which the session is checked with a ping.',
  ),
  idleTimeoutMs: ms(600_000, 1000, 86_400_000, 'Time without traffic after which the session is given back.'),
  lingerMs: ms(
    600_000,
    0,
    604_800_000,
    'How long the background process stays when its last client has gone; 0 ends it at once.',
  ),
  connectTimeoutMs: ms(10_000, 100, 120_000, 'Longest wait for a TCP and TLS connection.'),
  maxLineBytes: bytes(
    64 * MIB,
    'Longest line taken from the client; a longer one is answered with an error.',
  ),
  maxBodyBytes: bytes(64 * MIB, 'Largest JSON body taken from the service.'),
  maxEventBytes: bytes(64 * MIB, 'Largest server-sent event taken from the service.'),
  maxInFlight: count(1024, 1, 100_000, 'Most requests of one client that may wait for answers at once.'),
  maxInFlightBytes: bytes(
    256 * MIB,
    'Most bytes that the messages of one client, on their way to the service, may hold at once.',
  ),
  maxSessionsPerProfile: count(
    4,
    1,
    100,
    'Most sessions with one service at once. Clients that ask for the same share one; those beyond go per-request.',
  ),
  maxConnections: count(
    256,
    1,
    10_000,
    'Most connections for the requests of a session; as many again while those are silent.',
  ),
  allowHttp: {
    type: 'switch',
    default: false,
    about:
      'Allow http:// to a host that is not this machine. Everything, tokens included, then travels in the clear.',
  },
  proxy: text(
    'proxy',
    'The proxy to every service but those of NO_PROXY and this machine. Without it, HTTPS_PROXY and HTTP_PROXY count.',
  ),
  caFile: text('path', 'PEM file with certificates of authorities that are trusted beside the usual ones.'),
  clientCert: text('path', 'PEM file with the certificate that services get to see that ask for one.'),
  clientKey: text(
    'path',
    'PEM file with its key, without passphrase. Not needed where clientCert holds both.',
  ),
  openBrowser: {
    type: 'choice',
    choices: ['on-call', 'never'],
    default: 'on-call',
    about:
      'Whether a tool call that fails for want of a sign-in may open a page to sign in, once. Nothing else opens one.',
  } satisfies ChoiceSpec<'on-call' | 'never'>,
  logLevel: {
    type: 'choice',
    choices: ['silent', 'error', 'info', 'debug'],
    default: 'info',
    about: 'How much is written to stderr. Payloads and secrets are written at no level.',
  } satisfies ChoiceSpec<'silent' | 'error' | 'info' | 'debug'>,
} as const satisfies Record<string, SettingSpec>;

export type SettingName = keyof typeof SETTINGS;

/** What connections, and the reading of lines, are made with once. All others are read each time that they are needed. */
const FIXED: ReadonlySet<SettingName> = new Set([
  'connectTimeoutMs',
  'maxLineBytes',
  'maxConnections',
  'allowHttp',
  'proxy',
  'caFile',
  'clientCert',
  'clientKey',
]);

/** Whether a change is taken up by what runs; else it counts from the next launch on. */
export function isLive(name: SettingName): boolean {
  return !FIXED.has(name);
}

type ValueOf<S> = S extends { type: 'number' }
  ? number
  : S extends { type: 'text' }
    ? string
    : S extends { type: 'switch' }
      ? boolean
      : S extends { choices: readonly (infer T)[] }
        ? T
        : never;

export type Settings = { readonly [K in SettingName]: ValueOf<(typeof SETTINGS)[K]> };

/** `fooBarMs` → `foo-bar-ms`, the flag without its dashes. */
export function flagName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `fooBarMs` → `MCP_BRIDGE_FOO_BAR_MS`. */
export function variableName(name: string): string {
  return `MCP_BRIDGE_${flagName(name).replaceAll('-', '_').toUpperCase()}`;
}

/** What the setting accepts, in words. */
export function rangeOf(spec: SettingSpec): string {
  switch (spec.type) {
    case 'number':
      return `a whole number from ${spec.min} to ${spec.max}${spec.unit === 'count' ? '' : ` (${spec.unit})`}`;
    case 'choice':
      return `one of ${spec.choices.join(', ')}`;
    case 'switch':
      return 'true or false';
    case 'text':
      return TEXT_FORMS[spec.form].range;
  }
}

/** Reads a value from a flag, a variable or the config file; undefined where the setting does not accept it. */
export function parseSetting(spec: SettingSpec, raw: unknown): number | string | boolean | undefined {
  switch (spec.type) {
    case 'number': {
      const value = typeof raw === 'string' && /^-?\d+$/.test(raw) ? Number(raw) : raw;
      const fits =
        typeof value === 'number' && Number.isInteger(value) && value >= spec.min && value <= spec.max;
      return fits ? value : undefined;
    }
    case 'choice':
      return typeof raw === 'string' && spec.choices.includes(raw) ? raw : undefined;
    case 'switch':
      if (raw === true || raw === 'true' || raw === '1') return true;
      return raw === false || raw === 'false' || raw === '0' ? false : undefined;
    case 'text':
      return typeof raw === 'string' && (raw === '' || TEXT_FORMS[spec.form].fits(raw)) ? raw : undefined;
  }
}
