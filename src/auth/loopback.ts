// The address on this machine that the browser is sent back to: 127.0.0.1, one answer, and gone. Owns the server; what an answer
// means is for callback.ts.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../platform/clock.ts';
import { AuthError } from './auth-error.ts';
import type { CallbackVerdict } from './callback.ts';
import { PAGE_HEADERS, renderResultPage, type ResultPage } from './result-page.ts';

/** How long a person may take. */
const LOOPBACK_LIMIT_MS = 5 * 60_000;
const PATH = '/callback';
const MAX_CONNECTIONS = 16;
const REQUEST_LIMIT_MS = 10_000;
/** How long the last page may take to leave. */
const LAST_PAGE_MS = 2000;

type Answer = Exclude<CallbackVerdict, { kind: 'stranger' }>;

export interface Received {
  readonly answer: Answer;
  /** The page for the browser that brought it, which waits for it. */
  show(page: ResultPage): void;
}

export class LoopbackReceiver {
  readonly redirectUri: string;
  readonly #server: Server;
  readonly #host: string;
  readonly #clock: Clock;
  /** Who waits for the answer; undefined before that, and once it has come. */
  #waiting:
    { judge: (params: URLSearchParams) => CallbackVerdict; take: (got: Received) => void } | undefined;
  #isUsed = false;

  /** @param port 0 for any that is free. @throws AuthError */
  static async open(port: number, clock: Clock): Promise<LoopbackReceiver> {
    const server = createServer();
    server.maxConnections = MAX_CONNECTIONS;
    server.headersTimeout = REQUEST_LIMIT_MS;
    server.requestTimeout = REQUEST_LIMIT_MS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const message = `No address on this machine could be opened for the browser's answer (${cause.code}).`;
        const remedy = 'Choose another port with --redirect-port, or sign in with --device.';
        reject(new AuthError('ERR_AUTH_ABANDONED', message, { cause, remedy }));
      });
      server.listen(port, '127.0.0.1', resolve);
    });
    return new LoopbackReceiver(server, clock);
  }

  private constructor(server: Server, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    this.#host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.redirectUri = `http://${this.#host}${PATH}`;
    server.on('request', (request, response) => this.#serve(request, response));
  }

  /** Resolves with the first answer that is not a stranger's. Rejects with AuthError. */
  receive(judge: (params: URLSearchParams) => CallbackVerdict, signal: AbortSignal): Promise<Received> {
    const { promise, resolve, reject } = Promise.withResolvers<Received>();
    const end = (message: string): void => reject(new AuthError('ERR_AUTH_ABANDONED', message));
    const minutes = LOOPBACK_LIMIT_MS / 60_000;
    const timer = this.#clock.after(LOOPBACK_LIMIT_MS, () =>
      end(`Nobody signed in within ${minutes} minutes, so the sign-in was ended.`),
    );
    const onAbort = (): void => end('The sign-in was ended.');
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting = { judge, take: resolve };
    return promise.finally(() => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      this.#waiting = undefined;
    });
  }

  /** Lets the last page leave, for a moment. */
  async close(): Promise<void> {
    const timer = this.#clock.after(LAST_PAGE_MS, () => this.#server.closeAllConnections());
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    timer.cancel();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    // A page of somebody else reaches this address under a name of its own (DNS rebinding).
    if (request.headers.host !== this.#host) return refuse(response, 403);
    const url = URL.parse(request.url ?? '', `http://${this.#host}`);
    if (url?.pathname !== PATH) return refuse(response, 404);
    if (request.method !== 'GET') return refuse(response, 405);
    if (this.#isUsed) return refuse(response, 410);
    const waiting = this.#waiting;
    const verdict = waiting?.judge(url.searchParams);
    if (waiting === undefined || verdict === undefined || verdict.kind === 'stranger')
      return refuse(response, 400);
    this.#isUsed = true;
    waiting.take({
      answer: verdict,
      show: (page) => respond(response, page.kind === 'success' ? 200 : 400, page),
    });
  }
}

function refuse(response: ServerResponse, status: number): void {
  respond(response, status, {
    kind: 'failure',
    title: 'Not the answer to a sign-in',
    text: 'This address takes one answer, from the sign-in that you began on this machine. This was not it, and it changed nothing.',
    advice: 'Go back to the page where you were signing in, or begin again.',
  });
}

function respond(response: ServerResponse, status: number, page: ResultPage): void {
  response.writeHead(status, PAGE_HEADERS);
  response.end(renderResultPage(page));
}
