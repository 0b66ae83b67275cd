// A connection through an HTTP proxy (RFC 9110 section 9.3.6, CONNECT). Everything goes that way, http:// as well, so that what
// is said to the proxy, credentials included, never travels on to a service, and the other way round.

import { isIP, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { systemClock } from '../clock.ts';
import { shownProxy } from './network.ts';
import { NetworkError } from './network-error.ts';

export interface TunnelOptions {
  readonly proxy: string;
  /** As `host:port`, an IPv6 address in brackets. */
  readonly target: string;
  readonly timeoutMs: number;
  /** For a proxy that is spoken to over TLS. */
  readonly secureContext: SecureContext | undefined;
}

/** More than any proxy says before a tunnel, in bytes. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** @throws NetworkError */
export async function openTunnel({
  proxy,
  target,
  timeoutMs,
  secureContext,
}: TunnelOptions): Promise<Socket> {
  const url = new URL(proxy);
  const isTls = url.protocol === 'https:';
  // Most machines have no proxy: they never load these.
  const { request } = isTls ? await import('node:https') : await import('node:http');
  const authorization = authorizationOf(url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const connecting = request({
    method: 'CONNECT',
    host,
    // Else it would be taken from the Host header, which names the service.
    ...(isTls && { servername: isIP(host) === 0 ? host : '' }),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: target,
    headers: {
      host: target,
      ...(authorization === undefined ? undefined : { 'proxy-authorization': authorization }),
    },
    agent: false,
    maxHeaderSize: MAX_ANSWER_BYTES,
    ...(secureContext === undefined ? undefined : { secureContext }),
  });
  const shown = shownProxy(proxy);
  return new Promise((resolve, reject) => {
    const timer = systemClock.after(timeoutMs, () => {
      fail(
        new NetworkError({ kind: 'proxy-unreachable', proxy: shown, reason: `silent for ${timeoutMs} ms` }),
      );
    });
    const fail = (error: NetworkError): void => {
      timer.cancel();
      reject(error);
      connecting.destroy();
    };
    connecting.on('error', (error: NodeJS.ErrnoException) => {
      fail(new NetworkError({ kind: 'proxy-unreachable', proxy: shown, reason: codeOf(error) }, error));
    });
    const judge = (status: number): void => {
      if (status === 407)
        fail(
          new NetworkError({ kind: 'proxy-auth', proxy: shown, hasCredentials: authorization !== undefined }),
        );
      else if ([502, 503, 504].includes(status))
        fail(new NetworkError({ kind: 'behind-proxy', proxy: shown, status }));
      else fail(new NetworkError({ kind: 'proxy-refused', proxy: shown, status }));
    };
    connecting.on('connect', ({ statusCode = 0 }, socket: Socket, head: Buffer) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.on('error', () => {}).destroy();
        judge(statusCode);
        return;
      }
      timer.cancel();
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    // Something that is no proxy may take it for a request like any other.
    connecting.on('response', ({ statusCode = 0 }) => judge(statusCode));
    connecting.end();
  });
}

/** RFC 7617. */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Node.js joins the failures of several addresses into one error. */
function codeOf(error: NodeJS.ErrnoException): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return error.code ?? (inner as NodeJS.ErrnoException | undefined)?.code ?? error.name;
}
