// The HTTP+SSE transport of revision 2024-11-05: one GET stream that carries everything the service says, opened first and
// naming in its `endpoint` event the address that takes POSTs. When the stream ends, so does the session.

import type { Clock } from '../platform/clock.ts';
import type { Settings } from '../config/settings.ts';
import type { FailedAttempt } from '../policy/attempt.ts';
import { scanEnvelope, textOf, type Content } from '../protocol/envelope.ts';
import { EventStream } from './event-stream.ts';
import type { HttpHeaders } from './exchange.ts';
import type { HttpClient } from './http.ts';
import { ResponseReader, type MessageSink, type ResponseResult } from './response-reader.ts';
import type { PostOptions, Wire } from './wire.ts';

export interface LegacySseOptions {
  readonly url: URL;
  readonly http: HttpClient;
  readonly settings: Settings;
  readonly clock: Clock;
  /** Takes everything that comes on the stream. */
  readonly sink: MessageSink;
  /** Called once when the stream has ended after it was open. */
  readonly onClosed: (reason: string) => void;
  readonly onDropped: (reason: string) => void;
}

export class LegacySse implements Wire {
  readonly kind = 'http+sse';
  readonly answersOnListen = true;
  /** Its session is the stream itself. */
  readonly hasSession = false;
  readonly #options: LegacySseOptions;
  readonly #closing = new AbortController();
  #endpoint = '';

  private constructor(options: LegacySseOptions) {
    this.#options = options;
  }

  /** Opens the stream and waits for its endpoint. Undefined where there is no such stream at the URL. */
  static async open(options: LegacySseOptions, signal: AbortSignal): Promise<LegacySse | undefined> {
    const wire = new LegacySse(options);
    return (await wire.#open(signal)) ? wire : undefined;
  }

  post(body: Content, options: PostOptions): Promise<ResponseResult> {
    const { settings, clock, http } = this.#options;
    // Some services put the answer into the POST's body although the revision says it comes on the stream.
    const reader = new ResponseReader(options, settings, clock, true);
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body } as const;
    const sink = new AcceptedText(reader);
    return reader.read(
      http.send(request, sink, options.signal, {
        path: this.#endpoint,
        fresh: options.fresh === true,
      }),
    );
  }

  resume(): Promise<ResponseResult> {
    const failed: FailedAttempt = {
      kind: 'failed',
      progress: 'unknown',
      failure: {
        code: 'ERR_UPSTREAM_NO_ANSWER',
        message: 'The stream ended, and HTTP+SSE has no way to resume one.',
      },
    };
    return Promise.resolve({ kind: 'refused', status: failed, code: 0 });
  }

  end(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  #open(signal: AbortSignal): Promise<boolean> {
    const { http, settings, url } = this.#options;
    return new Promise((resolve) => {
      const giveUp = (): void => this.#closing.abort();
      const settle = (isOpen: boolean): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(isOpen);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();

      const events = new EventStream(settings.maxEventBytes, ({ type, data }) => {
        if (type === 'endpoint') {
          const endpoint = textOf(data);
          const target = URL.canParse(endpoint, url) ? new URL(endpoint, url) : undefined;
          if (target?.origin !== url.origin) {
            this.#options.onDropped('the endpoint event names another origin');
            giveUp();
            return;
          }
          this.#endpoint = target.pathname + target.search;
          settle(true);
        } else this.#receive(data);
      });
      const sink = {
        onHeaders: (status: number, headers: HttpHeaders) => {
          const type = headers['content-type'];
          if (status !== 200 || typeof type !== 'string' || !type.startsWith('text/event-stream')) giveUp();
        },
        onData: (chunk: Buffer) => {
          void events.feed(chunk);
          return this.#options.sink.ready();
        },
      };
      const request = { method: 'GET', headers: { accept: 'text/event-stream' } } as const;
      void http.send(request, sink, this.#closing.signal).then((outcome) => {
        settle(false);
        if (this.#endpoint !== '')
          this.#options.onClosed(outcome.kind === 'failed' ? outcome.error.message : outcome.kind);
      });
    });
  }

  #receive(data: Content): void {
    const scan = scanEnvelope(data);
    if (scan.kind === 'message') this.#options.sink.deliver(scan.message);
    else this.#options.onDropped(scan.kind === 'batch' ? 'a batch on the event stream' : scan.reason);
  }
}

/** Services of this revision answer a POST with 202 and a text like "Accepted", which is not a message. */
class AcceptedText {
  readonly #reader: ResponseReader;
  #ignore = false;
  constructor(reader: ResponseReader) {
    this.#reader = reader;
  }
  onStart(): void {
    this.#reader.onStart();
  }
  onHeaders(status: number, headers: HttpHeaders): void {
    const type = String(headers['content-type'] ?? '');
    this.#ignore = status < 300 && !type.startsWith('application/json');
    this.#reader.onHeaders(this.#ignore ? 202 : status, headers);
  }
  onData(chunk: Buffer): void | Promise<void> {
    return this.#ignore ? undefined : this.#reader.onData(chunk);
  }
}
