// One HTTP request at the scripted service, from its body to its answer. Actions drive it; without one, `normal` does.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText, idTextOf, isRequest, notificationText, resultText, type RpcMessage } from './messages.ts';
import { pause, RpcFailure, runMethod } from './methods.ts';
import type { RequestRecord } from './record.ts';
import type { EventStream, Session } from './sessions.ts';
import type { FaultSocket } from './sockets.ts';
import type { ServiceState } from './state.ts';

export class Exchange {
  readonly request: RequestRecord;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly socket: FaultSocket;
  readonly state: ServiceState;
  /** The session that it belongs to; for `initialize`, the one that `execute` makes. */
  session: Session | undefined;
  readonly #normal: (exchange: Exchange) => Promise<void>;

  constructor(
    request: RequestRecord,
    req: IncomingMessage,
    res: ServerResponse,
    state: ServiceState,
    normal: (exchange: Exchange) => Promise<void>,
  ) {
    this.request = request;
    this.req = req;
    this.res = res;
    this.socket = req.socket as unknown as FaultSocket;
    this.state = state;
    this.#normal = normal;
    this.session = state.sessionOf(request.sessionId);
  }

  /** The message in the body; the first of a batch. */
  get message(): RpcMessage {
    return this.request.messages[0] ?? {};
  }

  /** Text of the request's id. */
  get idText(): string {
    return idTextOf(this.message.id);
  }

  /** Answers as a service does that nothing is wrong with. */
  normal(): Promise<void> {
    return this.#normal(this);
  }

  /**
   * Takes in one message as the server it is for. Returns the answer's text; undefined where there is none to give (a
   * notification, an answer, a request that was cancelled). What the method sends on its way goes to `stream`, else to
   * the standing GET stream.
   */
  async execute(message: RpcMessage = this.message, stream?: EventStream): Promise<string | undefined> {
    const { state } = this;
    if (message.method === 'initialize') this.#begin();
    const session = this.session ?? state.anonymous;
    if (!isRequest(message)) {
      state.takeIn(message, session);
      return undefined;
    }
    const idText = idTextOf(message.id);
    const abort = new AbortController();
    session.running.set(idText, abort);
    try {
      const result = await runMethod(
        {
          message,
          session,
          record: state.record,
          signal: abort.signal,
          notify: (method, params) => (stream ?? session.listen)?.send(notificationText(method, params)),
          ask: (method, params) => state.ask(session, method, params, stream),
        },
        state.initializeResult,
      );
      return resultText(idText, result);
    } catch (error) {
      if (abort.signal.aborted) return undefined;
      if (error instanceof RpcFailure) return errorText(idText, error.code, error.message);
      throw error;
    } finally {
      session.running.delete(idText);
    }
  }

  /** The session has to be there before the headers that name it are sent. */
  #begin(): void {
    this.session ??= this.state.newSession();
  }

  /** The header by which the client learns its session. */
  get sessionHeaders(): Record<string, string> {
    return this.session !== undefined && this.message.method === 'initialize' && this.state.hasSessions
      ? { 'mcp-session-id': this.session.id }
      : {};
  }

  /** Answers with this text and closes the exchange. */
  respond(
    status: number,
    contentType: string | undefined,
    body: string,
    headers: Record<string, string> = {},
  ): void {
    this.res.writeHead(status, {
      ...(contentType !== undefined && { 'content-type': contentType }),
      'content-length': String(Buffer.byteLength(body)),
      ...this.sessionHeaders,
      ...headers,
    });
    this.res.end(body);
  }

  respondJson(text: string): void {
    this.respond(200, 'application/json', text);
  }

  /** Opens the response as an event stream of the session. */
  openStream(): EventStream {
    if (this.message.method === 'initialize') this.#begin();
    const stream = (this.session ?? this.state.anonymous).openStream();
    stream.attach(this.res, undefined, this.sessionHeaders);
    return stream;
  }

  /** Waits, but not beyond the end of the service. */
  wait(ms: number): Promise<void> {
    return pause(ms, this.state.closing);
  }
}
