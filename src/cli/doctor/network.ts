// The steps below HTTP: the name, the connection, the encryption.

import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Profile } from '../../config/resolve.ts';
import type { Settings } from '../../config/settings.ts';
import { connectorFor } from '../../platform/network/connector.ts';
import { NetworkError } from '../../platform/network/network-error.ts';
import { portOf } from '../../platform/network/network.ts';
import { ERROR_KINDS } from '../../protocol/errors.ts';
import { connectionFailure } from '../../upstream/connection-failure.ts';
import { failed, ok, skipped, warning, type Verdict } from './step.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;
const PROXY_REMEDY = ERROR_KINDS.ERR_PROXY_UNREACHABLE.remedy;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** It is not the service itself. */
  readonly isProxy: boolean;
}

export function endpointOf(url: URL, isProxy: boolean): Endpoint {
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: portOf(url), isProxy };
}

export async function lookUp({ host: name, isProxy }: Endpoint): Promise<Verdict> {
  const host = isProxy ? `the proxy ${name}` : name;
  if (isIP(name) !== 0) return skipped(`${host} is an address; there is no name to look up`);
  try {
    const [first, ...others] = await lookup(name, { all: true });
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return ok(`${host} is ${first?.address ?? 'nowhere'}${more}`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const remedy =
      code === 'ENOTFOUND' && isProxy
        ? PROXY_REMEDY
        : code === 'ENOTFOUND'
          ? 'Check the spelling of the host in the URL. If it is right, check that this machine is online, and on the VPN where one is needed.'
          : 'The name servers do not answer: check that this machine is online, and on the VPN where one is needed.';
    return failed(`${host} cannot be looked up (${code})`, remedy);
  }
}

export function connect({ host, port, isProxy }: Endpoint, signal: AbortSignal): Promise<Verdict> {
  const socket = connectTcp({ host, port });
  const where = `${isProxy ? 'the proxy ' : ''}${host} port ${port}`;
  const remedyOf = (code: string): string => (isProxy ? PROXY_REMEDY : connectRemedy(code));
  return new Promise((resolve) => {
    const end = (verdict: Verdict): void => {
      socket.destroy();
      resolve(verdict);
    };
    socket.once('connect', () =>
      end(ok(`connected to ${isProxy ? 'the proxy ' : ''}${socket.remoteAddress ?? host} port ${port}`)),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(failed(`no connection to ${where} (${codeOf(error)})`, remedyOf(codeOf(error))));
    });
    signal.addEventListener('abort', () => {
      end(failed(`no connection to ${where}: silence`, remedyOf('ETIMEDOUT')));
    });
  });
}

/** Node.js joins the failures of several addresses into one error. */
function codeOf(error: NodeJS.ErrnoException): string {
  if (error.code !== undefined) return error.code;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return (first as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
}

function connectRemedy(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'The machine is there, but nothing listens on that port: check the port in the URL, and that the service is up.';
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'EADDRNOTAVAIL':
      return 'There is no way to that machine: check that this one is online, and on the VPN where one is needed.';
    default:
      return 'Something on the way lets nothing through, as firewalls do: check the VPN and the proxy, or ask whoever runs the network.';
  }
}

/** Over the bridge's own way, so also through the proxy, with its certificates. */
export function encrypt(
  { url, network }: Profile,
  { connectTimeoutMs }: Settings,
  now: number,
  signal: AbortSignal,
): Promise<Verdict> {
  const { host } = endpointOf(url, false);
  if (url.protocol !== 'https:')
    return Promise.resolve(skipped('the URL begins with http://, so nothing is encrypted'));
  const connector = connectorFor(network, { timeoutMs: connectTimeoutMs, allowH2: false });
  return new Promise((resolve) => {
    const { protocol, port } = url;
    connector({ protocol, port, hostname: host, host: url.host }, (error, socket) => {
      if (error === null) resolve(judgeCertificate(socket as TLSSocket, now));
      else resolve(encryptionFailure(error, host));
      socket?.destroy();
    });
    signal.addEventListener('abort', () => {
      resolve(failed(`${host} begins no encryption: silence`, tlsRemedy('ETIMEDOUT')));
    });
  });
}

function judgeCertificate(socket: TLSSocket, now: number): Verdict {
  const { valid_to: validTo, issuer } = socket.getPeerCertificate();
  const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
  const by = issuer?.O ?? issuer?.CN ?? 'an unnamed authority';
  const detail = `${socket.getProtocol() ?? 'TLS'}, certificate by ${String(by)}, valid for ${days} days`;
  if (days >= SOON_DAYS) return ok(detail);
  return warning(detail, 'Tell the people who run the service that their certificate expires soon.');
}

function encryptionFailure(error: Error, host: string): Verdict {
  if (error instanceof NetworkError) {
    const { failure } = connectionFailure(error, 'not-sent');
    return failed(`${failure.code}: ${failure.message}`, failure.remedy ?? ERROR_KINDS[failure.code].remedy);
  }
  const code = codeOf(error);
  const silent = code === 'UND_ERR_CONNECT_TIMEOUT';
  if (silent) return failed(`${host} begins no encryption: silence`, tlsRemedy(code));
  return failed(`no encrypted connection to ${host} (${code})`, tlsRemedy(code));
}

function tlsRemedy(code: string): string {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'Tell the people who run the service that their certificate has expired. Check the clock of this machine, too.';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'The certificate is for another name: check the host in the URL.';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'This machine does not trust who signed the certificate. In a company network, name the file of its own authority: the setting caFile, or the variable NODE_EXTRA_CA_CERTS.';
    case 'CERT_NOT_YET_VALID':
      return 'The certificate is not valid yet: check the clock of this machine.';
    default:
      return 'Check that the port speaks HTTPS, and that no proxy on the way takes the connection apart.';
  }
}
