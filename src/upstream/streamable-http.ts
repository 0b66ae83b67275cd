// The Streamable HTTP transport (MCP 2025-11-25, basic/transports): one POST a message, GET to listen or to resume,
// DELETE to end.

import type { Clock } from '../platform/clock.ts';
import type { Settings } from '../config/settings.ts';
import type { Content } from '../protocol/envelope.ts';
import type { HttpClient, HttpRequest } from './http.ts';
import { ResponseReader, type ResponseResult } from './response-reader.ts';
import { NO_MESSAGES, type PostOptions, type Wire } from './wire.ts';

/** What a session id may hold (MCP 2025-11-25, Session Management). */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

const HANDSHAKE_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

export class StreamableHttp implements Wire {
  readonly kind = 'streamable-http';
  readonly answersOnListen = false;
  readonly #http: HttpClient;
  readonly #settings: Settings;
  readonly #clock: Clock;
  /** As the response to `initialize` named it; undefined for a service that keeps no sessions. */
  sessionId: string | undefined;
  /** The service named the session with something that cannot be sent back. */
  hasUnusableId = false;
  /** Set once `initialize` is answered; until then requests carry neither of the two headers. */
  #protocolVersion: string | undefined;
  /** The headers of every POST after the handshake, one object, so that they are put together once. */
  #postHeaders: Readonly<Record<string, string>> | undefined;

  constructor(http: HttpClient, settings: Settings, clock: Clock) {
    this.#http = http;
    this.#settings = settings;
    this.#clock = clock;
  }

  get hasSession(): boolean {
    return this.#protocolVersion !== undefined && this.sessionId !== undefined;
  }

  /** Ends the handshake: every later request names this revision. */
  establish(protocolVersion: string): void {
    this.#protocolVersion = protocolVersion;
  }

  post(body: Content, options: PostOptions): Promise<ResponseResult> {
    const isHandshake = this.#protocolVersion === undefined;
    const reader = this.#reader(options, isHandshake ? this.#takeSessionId : undefined);
    const headers = isHandshake
      ? HANDSHAKE_HEADERS
      : (this.#postHeaders ??= { ...HANDSHAKE_HEADERS, ...this.#sessionHeaders() });
    return reader.read(this.#http.send({ method: 'POST', headers, body }, reader, options.signal, options));
  }

  readonly #takeSessionId = ({ headers }: ResponseReader): void => {
    const id = headers['mcp-session-id'];
    if (typeof id === 'string' && VISIBLE_ASCII.test(id)) this.sessionId = id;
    else if (id !== undefined && id !== '') this.hasUnusableId = true;
  };

  resume(lastEventId: string, options: PostOptions): Promise<ResponseResult> {
    return this.listen(lastEventId, options, () => {});
  }

  /** Opens the service's own stream, or goes on with one. `onOpen` is called once the service has accepted. */
  listen(
    lastEventId: string | undefined,
    options: PostOptions,
    onOpen: (reader: ResponseReader) => void,
  ): Promise<ResponseResult> {
    const reader = this.#reader(options, onOpen);
    const request: HttpRequest = {
      method: 'GET',
      headers: {
        accept: 'text/event-stream',
        ...this.#sessionHeaders(),
        ...(lastEventId === undefined ? undefined : { 'last-event-id': lastEventId }),
      },
    };
    return reader.read(this.#http.send(request, reader, options.signal));
  }

  async end(signal: AbortSignal): Promise<void> {
    if (this.sessionId === undefined) return;
    // The connection that an idle session left may be closed at this very moment; ending twice does no harm.
    for (let tries = 1; tries <= 2; tries += 1) {
      const reader = this.#reader({ sink: NO_MESSAGES, signal, expectsAnswer: false });
      const request = { method: 'DELETE', headers: this.#sessionHeaders() } as const;
      const outcome = await this.#http.send(request, reader, signal);
      if (outcome.kind !== 'failed') return;
    }
  }

  #sessionHeaders(): Record<string, string> {
    if (this.#protocolVersion === undefined) return {};
    const version = { 'mcp-protocol-version': this.#protocolVersion };
    return this.sessionId === undefined ? version : { 'mcp-session-id': this.sessionId, ...version };
  }

  #reader(options: PostOptions, onOpen?: (reader: ResponseReader) => void): ResponseReader {
    return new ResponseReader(options, this.#settings, this.#clock, this.hasSession, onOpen);
  }
}
