// The steps below HTTP: the name, the connection, the encryption.

import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { failed, ok, skipped, warning, type Verdict } from './step.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

export function endpointOf(url: URL): Endpoint {
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port, isTls };
}

export async function lookUp({ host }: Endpoint): Promise<Verdict> {
  if (isIP(host) !== 0) return skipped(`${host} is an address; there is no name to look up`);
  try {
    const [first, ...others] = await lookup(host, { all: true });
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return ok(`${host} is ${first?.address ?? 'nowhere'}${more}`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const remedy =
      code === 'ENOTFOUND'
        ? 'Check the spelling of the host in the URL. If it is right, check that this machine is online, and on the VPN where one is needed.'
        : 'The name servers do not answer: check that this machine is online, and on the VPN where one is needed.';
    return failed(`${host} cannot be looked up (${code})`, remedy);
  }
}

export function connect({ host, port }: Endpoint, signal: AbortSignal): Promise<Verdict> {
  const socket = connectTcp({ host, port });
  return new Promise((resolve) => {
    const end = (verdict: Verdict): void => {
      socket.destroy();
      resolve(verdict);
    };
    socket.once('connect', () => end(ok(`connected to ${socket.remoteAddress ?? host} port ${port}`)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(failed(`no connection to ${host} port ${port} (${codeOf(error)})`, connectRemedy(codeOf(error))));
    });
    signal.addEventListener('abort', () => {
      end(failed(`no connection to ${host} port ${port}: silence`, connectRemedy('ETIMEDOUT')));
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

export function encrypt({ host, port, isTls }: Endpoint, now: number, signal: AbortSignal): Promise<Verdict> {
  if (!isTls) return Promise.resolve(skipped('the URL begins with http://, so nothing is encrypted'));
  const socket = connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) });
  return new Promise((resolve) => {
    const end = (verdict: Verdict): void => {
      socket.destroy();
      resolve(verdict);
    };
    socket.once('secureConnect', () => {
      const { valid_to: validTo, issuer } = socket.getPeerCertificate();
      const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
      const by = issuer?.O ?? issuer?.CN ?? 'an unnamed authority';
      const detail = `${socket.getProtocol() ?? 'TLS'}, certificate by ${String(by)}, valid for ${days} days`;
      if (days >= SOON_DAYS) end(ok(detail));
      else end(warning(detail, 'Tell the people who run the service that their certificate expires soon.'));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = codeOf(error);
      end(failed(`no encrypted connection to ${host} (${code})`, tlsRemedy(code)));
    });
    signal.addEventListener('abort', () => {
      end(failed(`${host} begins no encryption: silence`, tlsRemedy('ETIMEDOUT')));
    });
  });
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
      return 'This machine does not trust who signed the certificate. In a company network, point NODE_EXTRA_CA_CERTS to the file of its own authority.';
    case 'CERT_NOT_YET_VALID':
      return 'The certificate is not valid yet: check the clock of this machine.';
    default:
      return 'Check that the port speaks HTTPS, and that no proxy on the way takes the connection apart.';
  }
}
