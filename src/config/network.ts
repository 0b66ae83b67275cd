// What settings and environment together say of the network: the proxy, the authorities, the client's certificate.

import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import process from 'node:process';
import { proxyFor, type Network } from '../platform/network/network.ts';
import { ConfigError } from './config-file.ts';
import type { Settings } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type NetworkSettings = Pick<Settings, 'proxy' | 'caFile' | 'clientCert' | 'clientKey'>;

const EXTRA_CA = 'NODE_EXTRA_CA_CERTS';

/**
 * Undefined where nothing is special.
 * @throws ConfigError where the proxy for `url` cannot be used
 */
export function networkOf(settings: NetworkSettings, env: Environment, url: URL): Network | undefined {
  const { proxy, caFile, clientKey } = settings;
  // Either may hold both.
  const clientCert = settings.clientCert || clientKey;
  const isSet = proxy !== '';
  const own = proxy === 'none' ? undefined : proxy;
  const httpsProxy = isSet ? own : proxyIn(env, 'https_proxy');
  const httpProxy = isSet ? own : proxyIn(env, 'http_proxy');
  const extra = extraAuthorities(env);
  const network: Network = {
    noProxy: either(env, 'no_proxy') ?? '',
    caFiles: [...(caFile === '' ? [] : [expanded(caFile)]), ...(extra === undefined ? [] : [extra])],
    ...(httpsProxy === undefined ? undefined : { httpsProxy }),
    ...(httpProxy === undefined ? undefined : { httpProxy }),
    ...(clientCert === '' ? undefined : { clientCert: expanded(clientCert) }),
    ...(clientKey === '' ? undefined : { clientKey: expanded(clientKey) }),
  };
  const chosen = proxyFor(url, network);
  if (chosen !== undefined)
    checkProxy(chosen, isSet ? '"proxy"' : `${url.protocol.slice(0, -1).toUpperCase()}_PROXY`);
  const isPlain = network.caFiles.length === 0 && clientCert === '';
  return isPlain && httpsProxy === undefined && httpProxy === undefined ? undefined : network;
}

/** Without what may be a password. */
export function shownValue(value: unknown): string {
  return JSON.stringify(value)?.replace(/[^"]*@/, '…@') ?? 'nothing';
}

/** In files and process lists others could read them. @throws ConfigError */
export function refuseCredentials(proxy: unknown, where: string | undefined): void {
  if (typeof proxy !== 'string' || !URL.canParse(proxy)) return;
  const { username, password } = new URL(proxy);
  if (username === '' && password === '') return;
  throw new ConfigError(
    `${where} holds a user name or password, which others could read there. Put the proxy with them into the variable MCP_BRIDGE_PROXY or HTTPS_PROXY.`,
  );
}

function checkProxy(proxy: string, where: string): void {
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return;
  throw new ConfigError(
    `The proxy in ${where} cannot be used: it must be http://HOST:PORT or https://HOST:PORT. Other kinds, such as SOCKS, are not supported; "proxy": "none" goes without.`,
  );
}

/** The lower-case name goes first, as curl has it. */
function either(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toUpperCase()] || undefined;
}

/** A host and port alone mean http://. */
function proxyIn(env: Environment, name: string): string | undefined {
  const given = either(env, name)?.trim();
  return given === undefined || given === '' || given.includes('://')
    ? given || undefined
    : `http://${given}`;
}

/**
 * What this process has not read by itself: a daemon serves clients whose environment is not its own. One that cannot be read
 * is passed over, as Node.js does.
 */
function extraAuthorities(env: Environment): string | undefined {
  const path = env[EXTRA_CA];
  if (path === undefined || path === process.env[EXTRA_CA] || !isAbsolute(path)) return undefined;
  try {
    accessSync(path, constants.R_OK);
    return path;
  } catch {
    return undefined;
  }
}

function expanded(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
