// Owns the HTTP front of the conformance fixtures: loopback only, one SDK transport a session, Host and Origin checked.
// What a session does with its messages is up to the caller; nothing here knows about tools or processes.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { MemoryEventStore } from '../../demo/event-store.ts';

/** What the caller put behind a session's transport. */
export interface HostedSession {
  close(): Promise<void>;
}

/** Called once a session, before its `initialize` is handed to `transport.onmessage`. */
export type OpenSession = (transport: SdkTransport) => Promise<HostedSession>;

/** The SDK's HTTP transport, typed as the `Transport` that it implements. */
export type SdkTransport = Transport & Pick<StreamableHTTPServerTransport, 'handleRequest'>;

export interface HostOptions {
  /** The `retry` that resumable streams announce. */
  retryMs: number;
  /** A session with no open HTTP request for this long is over: the suite closes its clients without DELETE. */
  abandonAfterMs: number;
}

/** How a session ended: the client's DELETE, no request for too long, or the end of the host. */
export type SessionEnd = 'deleted' | 'abandoned' | 'stopped';

interface Session {
  readonly transport: SdkTransport;
  readonly hosted: HostedSession;
  openRequests: number;
  abandonTimer: NodeJS.Timeout | undefined;
}

const defaults: HostOptions = { retryMs: 200, abandonAfterMs: 1_000 };
const loopbackNames = new Set(['127.0.0.1', 'localhost', '[::1]']);

export class HttpHost {
  readonly #http: Server;
  readonly #open: OpenSession;
  readonly #options: HostOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #ends: SessionEnd[] = [];
  /** Sessions that are being ended. */
  readonly #ending = new Set<Promise<void>>();
  #opened = 0;

  private constructor(open: OpenSession, options: HostOptions) {
    this.#open = open;
    this.#options = options;
    this.#http = createServer((request, response) => {
      this.#route(request, response).catch((error: unknown) => refuse(response, 500, String(error)));
    });
  }

  static async listen(open: OpenSession, options: Partial<HostOptions> = {}): Promise<HttpHost> {
    const host = new HttpHost(open, { ...defaults, ...options });
    await new Promise<void>((resolve, reject) => {
      host.#http.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/mcp`;
  }

  /** Sessions opened so far: one for each handshake. */
  get opened(): number {
    return this.#opened;
  }

  /** How each session that is over ended, in order. */
  get ends(): readonly SessionEnd[] {
    return this.#ends;
  }

  async close(): Promise<void> {
    for (const id of this.#sessions.keys()) void this.#end(id, 'stopped');
    await Promise.all(this.#ending);
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Both headers, because a page that rebinds a name to loopback controls neither (the suite checks this).
    const { host, origin } = request.headers;
    if (!isLoopback(`http://${host ?? ''}`) || (origin !== undefined && !isLoopback(origin))) {
      return refuse(response, 403, 'Only loopback hosts and origins are served');
    }
    if (request.url !== '/mcp') return refuse(response, 404, 'No such path');

    const id = request.headers['mcp-session-id'];
    if (id === undefined) return this.#createTransport(response).handleRequest(request, response);
    const session = this.#sessions.get(String(id));
    if (!session) return refuse(response, 404, 'Session not found');
    this.#track(String(id), session, response);
    return session.transport.handleRequest(request, response);
  }

  /** A transport that becomes a session when the request turns out to be `initialize`, and else refuses it itself. */
  #createTransport(response: ServerResponse): SdkTransport {
    const id = randomUUID();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: new MemoryEventStore(),
      retryInterval: this.#options.retryMs,
      onsessioninitialized: async () => {
        this.#opened += 1;
        const hosted = await this.#open(transport);
        const session: Session = { transport, hosted, openRequests: 0, abandonTimer: undefined };
        this.#sessions.set(id, session);
        this.#track(id, session, response);
      },
      onsessionclosed: () => this.#end(id, 'deleted'),
      // The SDK types callbacks as optional in one place and as "or undefined" in the other; they mean the same.
    }) as SdkTransport;
    return transport;
  }

  #track(id: string, session: Session, response: ServerResponse): void {
    clearTimeout(session.abandonTimer);
    session.openRequests += 1;
    response.once('close', () => {
      session.openRequests -= 1;
      if (session.openRequests > 0) return;
      session.abandonTimer = setTimeout(() => void this.#end(id, 'abandoned'), this.#options.abandonAfterMs);
      session.abandonTimer.unref();
    });
  }

  async #end(id: string, end: SessionEnd): Promise<void> {
    const session = this.#sessions.get(id);
    if (!session) return;
    this.#sessions.delete(id);
    this.#ends.push(end);
    clearTimeout(session.abandonTimer);
    const ended = session.hosted
      .close()
      .then(() => (end === 'deleted' ? undefined : session.transport.close()));
    this.#ending.add(ended);
    await ended;
    this.#ending.delete(ended);
  }
}

function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && loopbackNames.has(new URL(origin).hostname);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message } }));
}
