// How this machine's network wants to be used: through which proxy, trusting whom, showing which certificate. Plain values,
// since each client may bring others; what is done with them is the connector's.

import { isExempt } from './no-proxy.ts';

export interface Network {
  /** For https://. A URL, which may hold a user name and a password: never shown as it is; see `shownProxy`. */
  readonly httpsProxy?: string;
  /** For http://. */
  readonly httpProxy?: string;
  /** Who is reached without a proxy, as in the variable NO_PROXY. */
  readonly noProxy: string;
  /** Absolute paths of PEM files with further authorities that are trusted. */
  readonly caFiles: readonly string[];
  /** Absolute paths of PEM files; the certificate's may hold the key as well. */
  readonly clientCert?: string;
  readonly clientKey?: string;
}

export interface Target {
  /** `https:` or `http:`. */
  readonly protocol: string;
  /** An IPv6 address with or without its brackets. */
  readonly hostname: string;
  /** Empty for the protocol's own. */
  readonly port: string;
}

/** The proxy on the way to this service; undefined where there is none. Never one for this machine itself. */
export function proxyFor({ protocol, hostname, port }: Target, network: Network): string | undefined {
  const proxy = protocol === 'https:' ? network.httpsProxy : network.httpProxy;
  if (proxy === undefined || isThisMachine(hostname)) return undefined;
  return isExempt(hostname, portOf({ protocol, port }), network.noProxy) ? undefined : proxy;
}

export function portOf({ protocol, port }: Pick<Target, 'protocol' | 'port'>): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** The proxy as people may see it: without user name and password. */
export function shownProxy(proxy: string): string {
  const { protocol, host } = new URL(proxy);
  return `${protocol}//${host}`;
}

/** By name or number, without asking DNS: what the proxy would call by these names is another machine. */
export function isThisMachine(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host)
  );
}
