// Reads the response to one POST or GET: JSON body, event stream, empty, or an error page. Hands out each message as it
// arrives, and at the end says what the response as a whole was.

import type { Clock } from '../platform/clock.ts';
import { scanEnvelope, type Content, type Envelope } from '../protocol/envelope.ts';
import type { Failure } from '../protocol/errors.ts';
import { Pieces } from '../protocol/pieces.ts';
import type { FailedAttempt } from '../policy/attempt.ts';
import { classifyStatus } from '../policy/http-status.ts';
import { parseRetryAfter } from '../policy/retry-after.ts';
import type { Settings } from '../config/settings.ts';
import { connectionFailure } from './connection-failure.ts';
import { EventStream, EventTooLargeError } from './event-stream.ts';
import type { HttpHeaders, HttpOutcome, ResponseSink } from './exchange.ts';

/** Where messages go, and how their taker says that it is behind. */
export interface MessageSink {
  deliver(message: Envelope): void;
  /** A promise while no more should be read; it resolves when reading may go on. */
  ready(): Promise<void> | undefined;
}

export type ResponseResult =
  /** 2xx without a message. */
  | { readonly kind: 'accepted' }
  /** 2xx with messages, all delivered. For an event stream, what is needed to go on with it. */
  | { readonly kind: 'ended'; readonly stream: StreamEnd | undefined }
  /** An HTTP error whose body is a JSON-RPC error response. */
  | {
      readonly kind: 'rpc-error';
      readonly message: Envelope;
      readonly status: FailedAttempt;
      readonly code: number;
    }
  | { readonly kind: 'refused'; readonly status: FailedAttempt; readonly code: number }
  /** The connection failed before the response ended. */
  | { readonly kind: 'broken'; readonly failed: FailedAttempt; readonly stream: StreamEnd | undefined }
  | { readonly kind: 'aborted' };

export interface StreamEnd {
  readonly lastEventId: string | undefined;
  readonly retryMs: number | undefined;
}

/** A response that breaks the protocol; ends the exchange. */
class BadResponseError extends Error {
  override readonly name = 'BadResponseError';
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

type Mode = 'none' | 'json' | 'events' | 'error';

/** Enough of an error page to find a JSON-RPC error in it. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** What is done with a response. */
export interface ReadOptions {
  readonly sink: MessageSink;
  /** False where what was sent is not a request: then a body that makes no sense is of no interest. */
  readonly expectsAnswer: boolean;
  /** Called when the request is about to be written: from here on the service may see it. */
  onStart?(): void;
  /** Called whenever anything of the response arrives. */
  onBytes?(): void;
}

export class ResponseReader implements ResponseSink {
  status = 0;
  headers: HttpHeaders = {};
  readonly #options: ReadOptions;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #hadSession: boolean;
  readonly #onOpen: ((reader: ResponseReader) => void) | undefined;
  #mode: Mode = 'none';
  readonly #kept = new Pieces();
  #events: EventStream | undefined;

  /**
   * @param hadSession whether the request named a session
   * @param onOpen called once a 2xx response's headers are there
   */
  constructor(
    options: ReadOptions,
    settings: Settings,
    clock: Clock,
    hadSession: boolean,
    onOpen?: (reader: ResponseReader) => void,
  ) {
    this.#options = options;
    this.#settings = settings;
    this.#clock = clock;
    this.#hadSession = hadSession;
    this.#onOpen = onOpen;
  }

  /** What the response of this exchange, which writes into this reader, comes to. Never rejects if `exchange` does not. */
  read(exchange: Promise<HttpOutcome>): Promise<ResponseResult> {
    return exchange.then((outcome) => this.result(outcome));
  }

  onStart(): void {
    this.#options.onStart?.();
  }

  onHeaders(status: number, headers: HttpHeaders): void {
    this.#options.onBytes?.();
    this.status = status;
    this.headers = headers;
    const type = mediaType(headers['content-type']);
    if (status >= 300) {
      this.#mode = 'error';
      return;
    }
    if (status === 202 || status === 204 || headers['content-length'] === '0') this.#mode = 'none';
    else if (type === 'text/event-stream') {
      this.#mode = 'events';
      this.#events = new EventStream(this.#settings.maxEventBytes, (event) => {
        // The first event of a resumable stream has an id and no data (SEP-1699); other types are not MCP's.
        if (event.data.length > 0 && (event.type === '' || event.type === 'message'))
          this.#deliverText(event.data);
      });
    } else if (type === 'application/json' || type === '') this.#mode = 'json';
    else if (this.#options.expectsAnswer) {
      throw new BadResponseError({
        code: 'ERR_UPSTREAM_BAD_ANSWER',
        message: `The service answered with content type "${type.slice(0, 80)}" instead of JSON or an event stream (HTTP ${status}).`,
      });
    }
    this.#onOpen?.(this);
  }

  onData(chunk: Buffer): void | Promise<void> {
    this.#options.onBytes?.();
    switch (this.#mode) {
      case 'none':
        return undefined;
      case 'events':
        void this.#events?.feed(chunk);
        break;
      case 'json':
        this.#keep(chunk, this.#settings.maxBodyBytes);
        break;
      case 'error':
        // What it refuses is known, however long it goes on about it.
        if (this.#kept.size + chunk.length > MAX_ERROR_BODY_BYTES) throw new Error('enough of an error page');
        this.#kept.add(chunk);
        break;
    }
    return this.#options.sink.ready();
  }

  /** What the response came to, given how the exchange under it ended. */
  result(outcome: HttpOutcome): ResponseResult {
    if (outcome.kind === 'aborted') return { kind: 'aborted' };
    if (outcome.kind === 'unauthorized') return unauthorized(outcome);
    // What the status refuses is known without the rest of the page.
    if (this.#mode === 'error') return this.#refused();
    if (outcome.kind === 'failed') {
      return { kind: 'broken', failed: this.#broken(outcome), stream: this.streamEnd };
    }
    if (this.#mode === 'events') return { kind: 'ended', stream: this.streamEnd };
    if (this.#kept.size === 0) return { kind: 'accepted' };
    try {
      this.#deliverText(this.#kept.take());
    } catch (error) {
      if (!(error instanceof BadResponseError)) throw error;
      return {
        kind: 'broken',
        failed: { kind: 'failed', progress: 'unknown', failure: error.failure },
        stream: undefined,
      };
    }
    return { kind: 'ended', stream: undefined };
  }

  #keep(chunk: Buffer, limit: number): void {
    if (this.#kept.size + chunk.length > limit) {
      throw new BadResponseError({
        code: 'ERR_UPSTREAM_TOO_LARGE',
        message: `The service's answer is larger than the ${limit} bytes that are allowed.`,
      });
    }
    this.#kept.add(chunk);
  }

  #deliverText(content: Content): void {
    const scan = scanEnvelope(content);
    const parts = scan.kind === 'batch' ? scan.elements : [scan];
    for (const part of parts) {
      if (part.kind === 'message') this.#options.sink.deliver(part.message);
      else if (this.#options.expectsAnswer) {
        const reason = part.kind === 'batch' ? 'a batch inside a batch' : part.reason;
        throw new BadResponseError({
          code: 'ERR_UPSTREAM_BAD_ANSWER',
          message: `The service sent something that is not a JSON-RPC message: ${reason}.`,
        });
      }
    }
  }

  /** Where the stream is now; undefined for other responses. */
  get streamEnd(): StreamEnd | undefined {
    if (this.#events === undefined) return undefined;
    return { lastEventId: this.#events.lastEventId, retryMs: this.#events.retryMs };
  }

  #broken(outcome: HttpOutcome & { kind: 'failed' }): FailedAttempt {
    const { error } = outcome;
    if (error instanceof BadResponseError)
      return { kind: 'failed', progress: 'unknown', failure: error.failure };
    if (error instanceof EventTooLargeError) {
      const message = `The service sent ${error.message}, which is the most that is allowed.`;
      return { kind: 'failed', progress: 'unknown', failure: { code: 'ERR_UPSTREAM_TOO_LARGE', message } };
    }
    return connectionFailure(error, outcome.progress);
  }

  #refused(): ResponseResult {
    const header = (name: string): string | undefined => {
      const value = this.headers[name];
      return typeof value === 'string' ? value : value?.[0];
    };
    const retryAfterMs = parseRetryAfter(header('retry-after'), this.#clock.wallTime());
    const location = header('location');
    const server = header('server');
    const status = classifyStatus({
      status: this.status,
      hadSession: this.#hadSession,
      ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
      ...(server === undefined ? undefined : { server }),
      ...(location === undefined ? undefined : { location: location.slice(0, 200) }),
    });
    const scan = this.#kept.size > 0 ? scanEnvelope(this.#kept.take()) : undefined;
    if (scan?.kind === 'message' && scan.message.kind === 'response' && scan.message.isError) {
      return { kind: 'rpc-error', message: scan.message, status, code: this.status };
    }
    return { kind: 'refused', status, code: this.status };
  }
}

/** Nothing ran. What the authorization server alone keeps from going is tried again like any connection that cannot be made. */
function unauthorized({ status, reason }: HttpOutcome & { kind: 'unauthorized' }): ResponseResult {
  const { failure, waitsForPerson } = reason;
  if (failure.code === 'ERR_AUTH_UNREACHABLE')
    return { kind: 'broken', failed: { kind: 'failed', progress: 'not-sent', failure }, stream: undefined };
  const failed: FailedAttempt = {
    kind: 'failed',
    progress: 'refused',
    failure,
    ...(status === undefined ? undefined : { httpStatus: status }),
    ...(waitsForPerson ? { signInNeeded: true } : undefined),
  };
  return { kind: 'refused', status: failed, code: status ?? 0 };
}

/** Services always say the same. */
let lastType = { value: '', mediaType: '' };

function mediaType(header: string | string[] | undefined): string {
  const value = typeof header === 'string' ? header : (header?.[0] ?? '');
  if (value !== lastType.value) {
    const type = value.split(';', 1)[0] as string;
    lastType = { value, mediaType: type.trim().toLowerCase() };
  }
  return lastType.mediaType;
}
