// One HTTP request over undici, and the one thing that its callers cannot find out by themselves: how far it got.
// Knows nothing of MCP. Follows redirects inside the origin only, so credentials never leave it.

import { Pool, type Dispatcher } from 'undici';
import type { Signal } from '../platform/abort.ts';
import type { Settings } from '../config/settings.ts';
import { connectorFor } from '../platform/network/connector.ts';
import type { Network } from '../platform/network/network.ts';

declare const __VERSION__: string;

export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface HttpRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Takes a response as it arrives. Throwing from either method ends the exchange with that error. */
export interface ResponseSink {
  /** The request is about to be written: from here on the service may see it. */
  onStart?(): void;
  onHeaders(status: number, headers: HttpHeaders): void;
  /** A returned promise holds the body back until it resolves. */
  onData(chunk: Buffer): void | Promise<void>;
}

/**
 * How an exchange ended. `not-sent`: no byte of it reached a socket, so the service cannot have seen it. `unknown`: it
 * may have.
 */
export type HttpOutcome =
  | { readonly kind: 'complete' }
  | { readonly kind: 'failed'; readonly progress: 'not-sent' | 'unknown'; readonly error: Error }
  | { readonly kind: 'aborted'; readonly progress: 'not-sent' | 'unknown' };

const MAX_REDIRECTS = 3;
const COMPLETE: HttpOutcome = { kind: 'complete' };
const ONCE = { once: true } as const;
/**
 * Longest time that an idle connection is kept, in milliseconds; a service's shorter hint goes first. Well below the 60 s
 * after which common load balancers drop one, because a write on a connection that died unnoticed cannot be repeated.
 */
const KEEP_ALIVE_MS = 30_000;

export class HttpClient {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #settings: Settings;
  readonly #network: Network | undefined;
  #pool: Pool;
  /**
   * For streams that stay open (GET). Apart, and on HTTP/1.1: undici does not open a new HTTP/2 connection after a GOAWAY while
   * a stream on the old one lives, and one that never ends would hold back every request.
   */
  #streams: Pool;
  /** Pools that were replaced and still have requests in flight. */
  readonly #retired = new Set<Pool>();
  #isDestroyed = false;
  readonly #listOf = new WeakMap<Readonly<Record<string, string>>, string[]>();
  /** The path that the service redirects to, once it has. */
  #path: string;
  readonly #onMoved = (path: string): void => {
    this.#path = path;
  };

  /** @param network undefined where the service is reached directly, with what Node.js trusts */
  constructor(url: URL, headers: Readonly<Record<string, string>>, settings: Settings, network?: Network) {
    this.#url = url;
    this.#headers = { 'user-agent': `mcp-bridge/${__VERSION__}`, ...headers };
    this.#path = url.pathname + url.search;
    this.#settings = settings;
    this.#network = network;
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
    options: { readonly path?: string; readonly fresh?: boolean } = {},
  ): Promise<HttpOutcome> {
    const { method, body = null } = request;
    const headers = this.#allHeaders(request.headers);
    const isStream = method === 'GET';
    const pool = isStream ? this.#streams : options.fresh === true ? this.#newPool() : this.#pool;
    const path = options.path ?? this.#path;
    const onMoved = options.path === undefined ? this.#onMoved : undefined;
    const exchange = new Exchange(pool, { path, method, headers, body }, sink, signal, this.#url, onMoved);
    const outcome = exchange.run();
    if (options.fresh === true && !isStream) void outcome.then((known) => this.#judge(pool, known));
    return outcome;
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
    const isPlain = this.#network === undefined && this.#url.protocol === 'http:';
    return new Pool(this.#url.origin, {
      connections: this.#settings.maxConnections,
      connect: isPlain ? { timeout: timeoutMs } : connectorFor(this.#network, { timeoutMs, allowH2 }),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // Deadlines are the caller's.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2,
    });
  }

  #judge(pool: Pool, outcome: HttpOutcome): void {
    if (outcome.kind === 'complete' && !this.#isDestroyed) this.#adopt(pool);
    else void pool.destroy();
  }

  #adopt(pool: Pool): void {
    const old = this.#pool;
    this.#pool = pool;
    this.#retired.add(old);
    void old.close().finally(() => this.#retired.delete(old));
  }

  /** As a flat list, which undici takes as it is; made once for each object that a caller keeps. */
  #allHeaders(own: Readonly<Record<string, string>>): string[] {
    let all = this.#listOf.get(own);
    if (all === undefined) {
      all = Object.entries({ ...this.#headers, ...own }).flat();
      this.#listOf.set(own, all);
    }
    return all;
  }
}

function sameOriginPath(location: string | string[] | undefined, base: URL): string | undefined {
  if (typeof location !== 'string' || !URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  return url.origin === base.origin ? url.pathname + url.search : undefined;
}

/** One request in undici's hands, through the redirects inside the origin. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #pool: Pool;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #sink: ResponseSink;
  readonly #signal: Signal;
  readonly #origin: URL;
  readonly #onMoved: ((path: string) => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;
  #done: (outcome: HttpOutcome) => void = () => {};
  #redirects = 0;
  /** Where a 307 or 308 leads: this response goes nowhere, and the request has to be sent there. */
  #redirect: string | undefined;

  /** @param onMoved called with the path that a redirect leads to */
  constructor(
    pool: Pool,
    options: Dispatcher.DispatchOptions,
    sink: ResponseSink,
    signal: Signal,
    origin: URL,
    onMoved: ((path: string) => void) | undefined,
  ) {
    this.#pool = pool;
    this.#options = options;
    this.#sink = sink;
    this.#signal = signal;
    this.#origin = origin;
    this.#onMoved = onMoved;
  }

  run(): Promise<HttpOutcome> {
    if (this.#signal.aborted) return Promise.resolve({ kind: 'aborted', progress: 'not-sent' });
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#signal.addEventListener('abort', this.#onAbort, ONCE);
      this.#dispatch();
    });
  }

  #dispatch(): void {
    try {
      this.#pool.dispatch(this.#options, this);
    } catch (error) {
      this.#resolve({ kind: 'failed', progress: 'not-sent', error: error as Error });
    }
  }

  readonly #onAbort = (): void => {
    // Still queued: undici has no handle for it yet, so it is dropped in onRequestStart, before a byte is written.
    // undici reports the abort as an error before it returns, so the outcome comes first.
    this.#resolve({ kind: 'aborted', progress: this.#progress() });
    this.#controller?.abort(new Error('aborted'));
  };

  #resolve(outcome: HttpOutcome): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#done(outcome);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#signal.aborted) {
      controller.abort(new Error('aborted'));
      return;
    }
    this.#controller = controller;
    this.#sink.onStart?.();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: HttpHeaders): void {
    if (status < 200) return;
    try {
      if ((status === 307 || status === 308) && this.#redirects < MAX_REDIRECTS) {
        this.#redirect = sameOriginPath(headers['location'], new URL(this.#options.path, this.#origin));
        if (this.#redirect !== undefined) return;
      }
      this.#sink.onHeaders(status, headers);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#redirect !== undefined) return;
    try {
      const held = this.#sink.onData(chunk);
      if (held === undefined) return;
      controller.pause();
      void held.then(
        () => controller.resume(),
        (error: unknown) => this.#fail(error as Error),
      );
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  onResponseEnd(): void {
    const path = this.#redirect;
    if (path === undefined) {
      this.#resolve(COMPLETE);
      return;
    }
    this.#redirect = undefined;
    this.#redirects += 1;
    this.#controller = undefined;
    this.#options.path = path;
    this.#onMoved?.(path);
    this.#dispatch();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#resolve({ kind: 'failed', progress: this.#progress(), error: this.#failure ?? error });
  }

  #progress(): 'not-sent' | 'unknown' {
    return this.#controller === undefined ? 'not-sent' : 'unknown';
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#controller?.abort(error);
  }
}
