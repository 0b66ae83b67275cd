// The HTTP requests to one service over undici: their connections, and the headers that they all carry. Knows nothing of MCP.
// Credentials never leave the service's origin.

import { Pool } from 'undici';
import type { Signal } from '../platform/abort.ts';
import type { Settings } from '../config/settings.ts';
import { connectorFor, plainConnector } from '../platform/network/connector.ts';
import type { Network } from '../platform/network/network.ts';
import { bytesOf, sizeOf, type Content } from '../protocol/envelope.ts';
import type { Credentials } from './credentials.ts';
import { Exchange, Guard, type HttpOutcome, type ResponseSink } from './exchange.ts';

declare const __VERSION__: string;

export interface HttpRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Content;
}

interface SendOptions {
  readonly path?: string;
  readonly fresh?: boolean;
}

/**
 * Longest time that an idle connection is kept, in milliseconds; a service's shorter hint goes first. Well below the 60 s
 * after which common load balancers drop one, because a write on a connection that died unnoticed cannot be repeated.
 */
const KEEP_ALIVE_MS = 30_000;

function ownPath({ pathname, search }: URL): string {
  return pathname + search;
}

export class HttpClient {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #settings: Settings;
  readonly #network: Network | undefined;
  /** Neither TLS nor a proxy. */
  readonly #isPlain: boolean;
  #pool: Pool;
  /**
   * For streams that stay open (GET). Apart, and on HTTP/1.1: undici does not open a new HTTP/2 connection after a GOAWAY while
   * a stream on the old one lives, and one that never ends would hold back every request.
   */
  #streams: Pool;
  /** Pools that were replaced and still have requests in flight. */
  readonly #retired = new Set<Pool>();
  #isDestroyed = false;
  readonly #credentials: Credentials | undefined;
  #listOf = new WeakMap<Readonly<Record<string, string>>, string[]>();
  /** The Authorization that those lists hold. */
  #listedHeader: string | undefined;
  /** Where the service has redirected a POST to, or the URL's own. */
  #path: string;
  readonly #onMoved = (path: string): void => {
    this.#path = path;
  };

  /**
   * @param network undefined where the service is reached directly, with what Node.js trusts
   * @param credentials has the Authorization, where that is not one of `headers`
   */
  constructor(
    url: URL,
    headers: Readonly<Record<string, string>>,
    settings: Settings,
    network?: Network,
    credentials?: Credentials,
  ) {
    this.#url = url;
    this.#credentials = credentials;
    this.#headers = { 'user-agent': `mcp-bridge/${__VERSION__}`, ...headers };
    this.#path = ownPath(url);
    this.#settings = settings;
    this.#network = network;
    this.#isPlain = network === undefined && url.protocol === 'http:';
    this.#pool = this.#newPool();
    this.#streams = this.#newPool(false);
  }

  /**
   * Sends to the service's URL, or to `path` on the same origin. Never rejects.
   * @param options.fresh uses a connection of its own; when the service answers on it, later requests go that way too
   */
  send(
    request: HttpRequest,
    sink: ResponseSink,
    signal: Signal,
    options: SendOptions = {},
  ): Promise<HttpOutcome> {
    const credentials = this.#credentials;
    // A goodbye is not worth a renewal, which this process may not live to keep.
    const isGoodbye = request.method === 'DELETE';
    if (credentials === undefined || credentials.isReady || isGoodbye)
      return this.#send(request, sink, signal, options);
    return credentials.obtain(signal).then((reason) => {
      if (signal.aborted) return { kind: 'aborted', progress: 'not-sent' };
      if (reason !== undefined) return { kind: 'unauthorized', status: undefined, reason };
      return this.#send(request, sink, signal, options);
    });
  }

  #send(
    request: HttpRequest,
    sink: ResponseSink,
    signal: Signal,
    options: SendOptions,
  ): Promise<HttpOutcome> {
    const { method } = request;
    const body = this.#bodyOf(request.body);
    const headers = this.#headersFor(request.headers, body);
    const isStream = method === 'GET';
    const pool = isStream ? this.#streams : options.fresh === true ? this.#newPool() : this.#pool;
    const path = options.path ?? this.#path;
    // What is redirected by itself, as a stream or a goodbye may be, says nothing of where requests go.
    const onMoved = options.path === undefined && method === 'POST' ? this.#onMoved : undefined;
    // undici documents iterables, its types do not.
    const dispatch = { path, method, headers, body: body as Buffer | null };
    const exchange = new Exchange(pool, dispatch, sink, signal, this.#url, onMoved);
    if (this.#credentials !== undefined && method !== 'DELETE')
      exchange.guard = new Guard(this.#credentials, () => this.#headersFor(request.headers, body));
    const outcome = exchange.run();
    if (options.fresh === true && !isStream) void outcome.then((known) => this.#judge(pool, known));
    return outcome;
  }

  /**
   * Whether more connections may be opened beside those that are open or wait for their end. As many as the setting allows may
   * turn out to be dead, and then as many again take their place.
   */
  get hasRoom(): boolean {
    let connected = this.#pool.stats.connected;
    for (const pool of this.#retired) connected += pool.stats.connected;
    return connected < 2 * this.#settings.maxConnections;
  }

  /** Goes back to the URL itself: what it redirects to may be another place by now. */
  forgetRedirect(): void {
    this.#path = ownPath(this.#url);
  }

  /** New requests get new connections; what is in flight on the old ones goes on there. */
  renew(): void {
    this.#adopt(this.#newPool());
  }

  /** Closes every connection; the next request opens new ones. For when nothing is in flight. */
  disconnect(): void {
    for (const pool of [this.#pool, this.#streams, ...this.#retired]) void pool.destroy();
    this.#retired.clear();
    this.#pool = this.#newPool();
    this.#streams = this.#newPool(false);
  }

  /** Closes every connection at once. Requests in flight fail. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    await Promise.all([this.#pool, this.#streams, ...this.#retired].map((pool) => pool.destroy()));
  }

  #newPool(allowH2 = true): Pool {
    const timeoutMs = this.#settings.connectTimeoutMs;
    return new Pool(this.#url.origin, {
      connections: this.#settings.maxConnections,
      connect: this.#isPlain
        ? plainConnector(timeoutMs)
        : connectorFor(this.#network, { timeoutMs, allowH2 }),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // Deadlines are the caller's.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2,
    });
  }

  #judge(pool: Pool, outcome: HttpOutcome): void {
    if (outcome.kind === 'complete' && !this.#isDestroyed && this.hasRoom) this.#adopt(pool);
    else void pool.destroy();
  }

  #adopt(pool: Pool): void {
    const old = this.#pool;
    this.#pool = pool;
    this.#retired.add(old);
    void old.close().finally(() => this.#retired.delete(old));
  }

  /** Where nothing comes between, the pieces of a long one are written as they are. */
  #bodyOf(body: Content | undefined): Content | null {
    if (body === undefined) return null;
    return this.#isPlain ? body : bytesOf(body);
  }

  #headersFor(own: Readonly<Record<string, string>>, body: Content | null): string[] {
    const all = this.#allHeaders(own);
    return body === null || Buffer.isBuffer(body) ? all : [...all, 'content-length', String(sizeOf(body))];
  }

  /** As a flat list, which undici takes as it is; made once for each object that a caller keeps. */
  #allHeaders(own: Readonly<Record<string, string>>): string[] {
    const header = this.#credentials?.header;
    if (header !== this.#listedHeader) {
      this.#listOf = new WeakMap();
      this.#listedHeader = header;
    }
    let all = this.#listOf.get(own);
    if (all === undefined) {
      const authorization = header === undefined ? undefined : { authorization: header };
      all = Object.entries({ ...this.#headers, ...authorization, ...own }).flat();
      this.#listOf.set(own, all);
    }
    return all;
  }
}
