// One HTTP request in undici's hands, and the one thing that its callers cannot find out by themselves: how far it got. Follows
// redirects inside the origin only, so credentials never leave it; and sends anew, once, what was refused for its credentials.

import type { Dispatcher, Pool } from 'undici';
import type { Signal } from '../platform/abort.ts';
import type { Failure } from '../protocol/errors.ts';
import type { Credentials, NoCredentials } from './credentials.ts';

export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

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
  /** The service or the bridge itself did not let it pass, so it ran nothing. `status` where the service said so. */
  | { readonly kind: 'unauthorized'; readonly status: 401 | 403 | undefined; readonly reason: NoCredentials }
  | { readonly kind: 'failed'; readonly progress: 'not-sent' | 'unknown'; readonly error: Error }
  | { readonly kind: 'aborted'; readonly progress: 'not-sent' | 'unknown' };

const MAX_REDIRECTS = 3;
const COMPLETE: HttpOutcome = { kind: 'complete' };
const ONCE = { once: true } as const;

function sameOriginPath(location: string | string[] | undefined, base: URL): string | undefined {
  if (typeof location !== 'string' || !URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  return url.origin === base.origin ? url.pathname + url.search : undefined;
}

/** One request in undici's hands, through the redirects inside the origin. */
export class Exchange implements Dispatcher.DispatchHandler {
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
  /** Looks at refusals of the Authorization that it carries. */
  guard: Guard | undefined;
  /** What the guard has to decide on when the response, which goes nowhere, has ended. */
  #refusal: Refusal | undefined;
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
      this.#refusal = this.guard?.look(status, headers);
      if (this.#refusal !== undefined) return;
      this.#sink.onHeaders(status, headers);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#redirect !== undefined || this.#refusal !== undefined) return;
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
    if (this.#refusal !== undefined) {
      void this.#afterRefusal(this.#refusal);
      return;
    }
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

  /** Refused before it ran, so it may be sent again, a write too, with another token. */
  async #afterRefusal({ status, failure }: Refusal): Promise<void> {
    const guard = this.guard;
    this.#refusal = undefined;
    if (guard === undefined || this.#signal.aborted) return;
    const reason =
      failure === undefined ? await guard.renew(this.#signal) : { failure, waitsForPerson: false };
    // The outcome is known by then.
    if (this.#signal.aborted) return;
    if (reason !== undefined) {
      this.#resolve({ kind: 'unauthorized', status, reason });
      return;
    }
    this.#options.headers = guard.headers();
    this.#controller = undefined;
    this.#dispatch();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // That it was refused is known without the rest of the page that says so.
    if (this.#refusal !== undefined) void this.#afterRefusal(this.#refusal);
    else this.#resolve({ kind: 'failed', progress: this.#progress(), error: this.#failure ?? error });
  }

  #progress(): 'not-sent' | 'unknown' {
    return this.#controller === undefined ? 'not-sent' : 'unknown';
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#controller?.abort(error);
  }
}

interface Refusal {
  readonly status: 401 | 403;
  /** Undefined where another token may help. */
  readonly failure?: Failure;
}

/** The credentials of one request. */
export class Guard {
  readonly #credentials: Credentials;
  readonly #list: () => string[];
  /** That the request carries, or carried when it was sent last. */
  #header: string | undefined;
  #hasRenewed = false;

  constructor(credentials: Credentials, list: () => string[]) {
    this.#credentials = credentials;
    this.#list = list;
    this.#header = credentials.header;
  }

  /** What is refused; undefined for other responses, and for those that the caller has to make sense of. */
  look(status: number, headers: HttpHeaders): Refusal | undefined {
    if (status === 401 && !this.#hasRenewed) return { status };
    if (status !== 403) return undefined;
    const failure = this.#credentials.scopeMissing(String(headers['www-authenticate'] ?? ''), this.#header);
    if (failure === 'renewed') return this.#hasRenewed ? undefined : { status };
    return failure === undefined ? undefined : { status, failure };
  }

  renew(signal: Signal): Promise<NoCredentials | undefined> {
    this.#hasRenewed = true;
    return this.#credentials.refused(this.#header, signal);
  }

  /** For sending it once more. */
  headers(): string[] {
    this.#header = this.#credentials.header;
    return this.#list();
  }
}
