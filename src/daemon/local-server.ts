// HTTP on the local socket: who may talk, what may be asked, and how much of it. Answers the control routes, and hands over what
// asks to be upgraded.

import { timingSafeEqual } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import process from 'node:process';
import { ATTACH_PATH, SOCKET_HOST, UPGRADE_NAME } from '../platform/attach-protocol.ts';
import type { ControlHandlers, DaemonFacts } from './control.ts';

export interface LocalServerOptions {
  readonly socketPath: string;
  readonly secret: string;
  readonly control: ControlHandlers;
  readonly facts: () => DaemonFacts;
  /** `head` is what came behind the request's head. */
  readonly onAttach: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  readonly onShutdown: (isHandOver: boolean) => void;
}

const MAX_CONNECTIONS = 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** How long a client may take for its request's head, in milliseconds. */
const HEAD_LIMIT_MS = 5000;
const MAX_SUBSCRIBERS = 32;

type Answer = { readonly status: number; readonly type?: string; readonly body: string };
type Handler = (parameter: string, query: URLSearchParams) => Answer | Promise<Answer>;

export class LocalServer {
  readonly #options: LocalServerOptions;
  readonly #server: Server;
  readonly #secret: Buffer;
  #subscribers = 0;

  constructor(options: LocalServerOptions) {
    this.#options = options;
    this.#secret = Buffer.from(`Bearer ${options.secret}`);
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEAD_LIMIT_MS,
        requestTimeout: HEAD_LIMIT_MS,
        connectionsCheckingInterval: 1000,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('upgrade', (request, socket, head) => {
      // Node.js types it by what it needs of it; on this server it is a socket.
      const stream = socket as Socket;
      stream.on('error', () => stream.destroy());
      const refusal = this.#refuse(request);
      if (refusal !== undefined) refuseUpgrade(stream, refusal.status, refusal.body);
      else if (request.url !== ATTACH_PATH || request.headers.upgrade?.toLowerCase() !== UPGRADE_NAME)
        refuseUpgrade(stream, 404, `Only ${ATTACH_PATH} can be upgraded, to ${UPGRADE_NAME}.`);
      else options.onAttach(request, stream, head);
    });
  }

  /**
   * Only for who holds the daemon's lock: what lies at the socket's path is taken to be left over.
   * @throws Error where the path cannot be used
   */
  async listen(): Promise<void> {
    const { socketPath } = this.#options;
    if (process.platform !== 'win32') rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketPath, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#server.on('error', () => {});
    if (process.platform !== 'win32') chmodSync(socketPath, 0o600);
  }

  /** Takes the socket away at once; conversations that are under way go on. */
  stopListening(): void {
    if (this.#server.listening) this.#server.close();
    this.#server.closeIdleConnections();
  }

  #refuse({ headers }: IncomingMessage): Answer | undefined {
    // No browser can reach a socket by itself; what looks as if one sent it came through something that forwards.
    const host = headers.host?.replace(/:\d+$/, '');
    if (headers.origin !== undefined || (host !== SOCKET_HOST && host !== 'localhost'))
      return { status: 403, body: 'Not for browsers, and not for other hosts.' };
    const given = Buffer.from(headers.authorization ?? '');
    if (given.length !== this.#secret.length || !timingSafeEqual(given, this.#secret))
      return { status: 401, body: 'The secret is missing or wrong.' };
    return undefined;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // No route takes a body.
    request.resume();
    let answer: Answer | undefined;
    try {
      answer = this.#refuse(request) ?? (await this.#route(request, response));
    } catch {
      answer = { status: 500, body: 'Something went wrong inside the bridge.' };
    }
    if (answer === undefined || response.destroyed) return;
    const type = answer.type ?? (answer.status < 400 ? 'application/json' : 'text/plain; charset=utf-8');
    response.writeHead(answer.status, { 'content-type': type }).end(`${answer.body}\n`);
  }

  /** Undefined where the response is an open stream. */
  async #route(request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined> {
    const { control, facts, onShutdown } = this.#options;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const routes: readonly (readonly [string, RegExp, Handler])[] = [
      ['GET', /^\/status$/, () => json({ daemon: facts(), ...control.status() })],
      ['GET', /^\/pool\/stats$/, () => json(control.poolStats())],
      ['POST', /^\/pool\/cleanup$/, () => json(control.poolCleanup())],
      [
        'POST',
        /^\/sessions\/([^/]+)\/reset$/,
        (id) => {
          const session = decodeURIComponent(id);
          const isDone = control.resetSession(session);
          return isDone ? json({ session }) : { status: 404, body: 'There is no such session.' };
        },
      ],
      [
        'GET',
        /^\/metrics$/,
        () => ({
          status: 200,
          type: 'text/plain; version=0.0.4; charset=utf-8',
          body: control.metricsText(),
        }),
      ],
      [
        'POST',
        /^\/shutdown$/,
        (_, query) => {
          // What the client reads must have left before the process does.
          response.once('close', () => onShutdown(query.has('handover')));
          return json({ pid: process.pid, clients: facts().clients });
        },
      ],
    ];
    if (url.pathname === '/events' && request.method === 'GET') return this.#stream(response);
    const known = routes.filter(([, path]) => path.test(url.pathname));
    const [route] = known.filter(([method]) => method === request.method);
    if (known.length === 0) return { status: 404, body: 'There is no such route.' };
    if (route === undefined) return { status: 405, body: `This route takes ${known[0]?.[0]}.` };
    const [, path, handle] = route;
    return handle(path.exec(url.pathname)?.[1] ?? '', url.searchParams);
  }

  #stream(response: ServerResponse): Answer | undefined {
    if (this.#subscribers >= MAX_SUBSCRIBERS) return { status: 503, body: 'Enough listen already.' };
    this.#subscribers += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    response.once('close', () => {
      this.#subscribers -= 1;
    });
    void this.#options.control.streamEvents(response);
    return undefined;
  }
}

function json(value: object): Answer {
  return { status: 200, body: JSON.stringify(value) };
}

/** Says no to an upgrade, with a text for people. */
export function refuseUpgrade(
  socket: Socket,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const lines = Object.entries({
    connection: 'close',
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  // The status line's words mean nothing to anybody.
  socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}\r\n${body}`);
}
