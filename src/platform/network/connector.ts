// Opens connections the way that this network wants it: through its proxy, trusting its authorities, showing its certificate.
// undici's pools and agents take it as their `connect`, whatever they are for.

import type { Socket } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { portOf, proxyFor, type Network } from './network.ts';
import { NetworkError } from './network-error.ts';
import { isUnknownIssuer, trustOf, type Trust } from './trust.ts';
import { openTunnel } from './tunnel.ts';

export interface ConnectorOptions {
  /** For each part of the way: to the proxy, and to the service. */
  readonly timeoutMs: number;
  /** Whether HTTP/2 is offered. */
  readonly allowH2: boolean;
}

const NO_NETWORK: Network = { noProxy: '', caFiles: [] };

export function connectorFor(
  network: Network | undefined,
  { timeoutMs, allowH2 }: ConnectorOptions,
): buildConnector.connector {
  const ways = new Ways(trustOf(network), { timeout: timeoutMs, allowH2 });
  const once: buildConnector.connector = (options, callback) => {
    let way: buildConnector.connector;
    try {
      way = ways.current();
    } catch (error) {
      queueMicrotask(() => callback(error as Error, null));
      return;
    }
    const proxy = proxyFor(options, network ?? NO_NETWORK);
    if (proxy === undefined) {
      way(options, callback);
      return;
    }
    const host = options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname;
    const target = `${host}:${portOf(options)}`;
    const secureContext = ways.secureContext;
    const onTunnel = (socket: Socket): void => {
      if (options.protocol === 'https:') way({ ...options, httpSocket: socket }, callback);
      else callback(null, socket);
    };
    const onFailure = (error: unknown): void => callback(error as Error, null);
    void openTunnel({ proxy, target, timeoutMs, secureContext }).then(onTunnel, onFailure);
  };
  const { trust } = ways;
  return (options, callback) =>
    once(options, (...[error, socket]) => {
      if (error !== null && isUnknownIssuer(codeOf(error)) && trust.widen()) once(options, callback);
      else if (error === null) callback(null, endingWithAlerts(socket));
      else callback(error, null);
    });
}

/** For services that are reached directly and without TLS. What is written to one of its sockets in one turn leaves with one system call. */
export function plainConnector(timeoutMs: number): buildConnector.connector {
  const options = { timeout: timeoutMs, highWaterMark: undefined, writableHighWaterMark: ALL_AT_ONCE };
  const connect = buildConnector(options);
  return (to, callback) =>
    connect(to, (...[error, socket]) => {
      if (error === null) callback(null, writingTogether(socket));
      else callback(error, null);
    });
}

/** In bytes: no body is held back, because that would keep it in memory all the same. */
const ALL_AT_ONCE = 2 ** 30;
const LONG_BYTES = 32 * 1024;

/**
 * undici writes the pieces of a body each with a system call of its own, and each of them wakes the service; that cost more than to put
 * a megabyte together.
 */
function writingTogether(socket: Socket): Socket {
  const uncork = socket.uncork.bind(socket);
  let isHeld = false;
  socket.uncork = () => {
    // What is short leaves at once.
    if (isHeld || socket.writableLength < LONG_BYTES) return uncork();
    isHeld = true;
    process.nextTick(() => {
      isHeld = false;
      uncork();
    });
  };
  return socket;
}

/**
 * A server that wants a certificate says so by an alert, once the handshake looks done, and hangs up. Ended here, the
 * connection keeps the alert as its reason; otherwise undici would take the hanging up for it.
 */
function endingWithAlerts(socket: Socket): Socket {
  return socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code?.startsWith('ERR_SSL_') === true) socket.destroy(error);
  });
}

/** An agent for requests to anybody, as sign-in makes them, over the same ways as those to the service. */
export function agentFor(network: Network | undefined, timeoutMs: number): Agent {
  return new Agent({ connect: connectorFor(network, { timeoutMs, allowH2: false }), allowH2: false });
}

/** undici's own connector, made anew when the certificates have changed: it keeps TLS sessions, which belong to them. */
class Ways {
  readonly trust: Trust;
  readonly #options: buildConnector.BuildOptions;
  #made: buildConnector.connector | undefined;
  secureContext: ReturnType<Trust['context']>;

  constructor(trust: Trust, options: buildConnector.BuildOptions) {
    this.trust = trust;
    this.#options = options;
  }

  /** @throws NetworkError */
  current(): buildConnector.connector {
    const context = this.trust.context();
    if (this.#made === undefined || context !== this.secureContext) {
      this.secureContext = context;
      this.#made = buildConnector({
        ...this.#options,
        ...(context === undefined ? undefined : { secureContext: context }),
      });
    }
    return this.#made;
  }
}

function codeOf(error: unknown): string | undefined {
  const actual = error instanceof NetworkError ? error.cause : error;
  return (actual as NodeJS.ErrnoException | undefined)?.code;
}
