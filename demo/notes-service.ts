// The demo's hosted service: notes over Streamable HTTP on loopback, with sessions, resumable streams and, on request,
// the faults of real services. Owns the HTTP side; sessions are in service-sessions.ts.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import type { BearerCheck } from './bearer-check.ts';
import type { NotesStore } from './notes-store.ts';
import { Sessions, type ServiceEvent, type Session } from './service-sessions.ts';

const path = '/mcp';
const maxBodyBytes = 4 * 1024 * 1024;

export interface NotesServiceOptions {
  store: NotesStore;
  /** 0 takes a free one. */
  port?: number;
  /** Added to every handshake, as a service far away or slow to set up would take. */
  handshakeMs?: number;
  onEvent?: (event: ServiceEvent) => void;
  /** Another name under which it is reached, beside those of this machine. */
  host?: string | undefined;
  /** Asks each request for a token first. */
  bearerCheck?: BearerCheck;
}

/** What the service has seen since it started. */
export interface ServiceCounts {
  /** `initialize` requests that were served. */
  handshakes: number;
  /** Sessions that their client ended with DELETE. */
  deletes: number;
  /** POST requests that were turned away because their session is unknown. */
  refused: number;
  /** `tools/call` requests that were taken, by tool. */
  calls: Record<string, number>;
  /** Tools that stopped half-way because the call was cancelled or the client went away. */
  abandoned: number;
}

/** Faults to switch on from outside, one call each. To bring a killed service back, start one on the same port. */
export interface ServiceFaults {
  /** As after a restart: every session id is unknown from now on. */
  forgetSessions(): Promise<void>;
  /**
   * The next call of `tool` runs to its end, and then its connection breaks instead of carrying the answer, which is
   * not to be had with `Last-Event-ID` either.
   */
  loseNextAnswer(tool: string): void;
  /** Dies as a process does: every socket breaks, whatever is under way; nobody listens any more. */
  kill(): Promise<void>;
  /** Dies so when the next `count` calls of `tool` have arrived; the last of them is not begun. Resolves when dead. */
  killAtCall(tool: string, count: number): Promise<void>;
}

export interface NotesService {
  readonly url: string;
  readonly port: number;
  readonly counts: Readonly<ServiceCounts>;
  /** Sessions that are open now. */
  readonly sessions: number;
  readonly faults: ServiceFaults;
  close(): Promise<void>;
}

/** Rejects with Node's own error (`EADDRINUSE`, …) when the port cannot be had. */
export async function startNotesService(options: NotesServiceOptions): Promise<NotesService> {
  const counts: ServiceCounts = { handshakes: 0, deletes: 0, refused: 0, calls: {}, abandoned: 0 };
  const toLose = new Set<string>();
  let dead = false;
  let fatal: { tool: string; callsLeft: number; die: () => void } | undefined;
  const emit = (event: ServiceEvent): void => {
    if (event.type === 'session-closed' && event.reason === 'deleted') counts.deletes += 1;
    if (event.type === 'tool-abandoned') counts.abandoned += 1;
    if (event.type === 'tool-called') counts.calls[event.tool] = (counts.calls[event.tool] ?? 0) + 1;
    options.onEvent?.(event);
  };
  const sessions = new Sessions(options.store, emit);

  /** The session that `initialize` opens. Answers by itself, and returns nothing, where there is none to be had. */
  async function beginSession(response: ServerResponse): Promise<Session | undefined> {
    if (options.handshakeMs) await sleep(options.handshakeMs);
    if (response.destroyed) return undefined;
    const session = await sessions.create();
    if (session) counts.handshakes += 1;
    else sendError(response, 503, -32000, 'Too many sessions are open; try again later');
    return session;
  }

  function findSession(id: string | undefined, response: ServerResponse): Session | undefined {
    if (id === undefined) {
      sendError(response, 400, -32000, 'Bad Request: Mcp-Session-Id header is required');
      return undefined;
    }
    const session = sessions.get(id);
    if (!session) {
      if (response.req.method === 'POST') counts.refused += 1;
      sendError(response, 404, -32001, 'Session not found');
    }
    return session;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isLocal(request, options.host))
      return sendError(response, 403, -32000, 'Only for programs on this machine');
    if (options.bearerCheck?.admit(request, response) === false) return;
    if (request.url !== path) return sendError(response, 404, -32000, `The MCP endpoint is ${path}`);
    const body = request.method === 'POST' ? await readJson(request, response) : undefined;
    if (dead || (request.method === 'POST' && body === undefined)) return;

    const id = request.headers['mcp-session-id']?.toString();
    const begins = id === undefined && isInitializeRequest(body);
    const session = begins ? await beginSession(response) : findSession(id, response);
    if (!session) return;

    session.open += 1;
    response.once('close', () => {
      session.open -= 1;
      session.lastUsed = performance.now();
    });
    const call = readToolCall(body);
    if (call) {
      emit({ type: 'tool-called', tool: call.tool });
      if (call.tool === fatal?.tool && --fatal.callsLeft === 0) return fatal.die();
      if (toLose.delete(call.tool)) session.lostAnswers.set(call.id, response);
    }
    await session.transport.handleRequest(request, response, body);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendError(response, 500, -32603, `Internal error: ${String(error)}`);
    });
  });
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;

  async function stop({ abruptly }: { abruptly: boolean }): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    dead = abruptly;
    if (abruptly) server.closeAllConnections();
    await sessions.stop();
    // Streams have ended by now; what a client does not read within this time is cut.
    const cut = setTimeout(() => server.closeAllConnections(), 250);
    server.closeIdleConnections();
    await closed;
    clearTimeout(cut);
  }

  return {
    url: `http://127.0.0.1:${port}${path}`,
    port,
    counts,
    get sessions() {
      return sessions.size;
    },
    faults: {
      forgetSessions: () => sessions.closeAll('forgotten'),
      loseNextAnswer: (tool) => void toLose.add(tool),
      kill: () => stop({ abruptly: true }),
      killAtCall: (tool, count) =>
        new Promise((resolve) => {
          fatal = { tool, callsLeft: count, die: () => resolve(stop({ abruptly: true })) };
        }),
    },
    close: () => stop({ abruptly: false }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A web page in somebody's browser can reach loopback too, under a name of its own: Host and Origin give it away. */
function isLocal({ headers }: IncomingMessage, host?: string): boolean {
  const urls = [`http://${headers.host ?? ''}`, ...(headers.origin === undefined ? [] : [headers.origin])];
  const names = ['127.0.0.1', 'localhost', '[::1]', ...(host === undefined ? [] : [host])];
  return urls.every((url) => names.includes(URL.parse(url)?.hostname ?? ''));
}

/** Undefined when the body is too large or not JSON; that has been answered then. */
async function readJson(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early must not destroy the socket that the refusal goes out on.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      sendError(response, 413, -32000, `The body is larger than ${maxBodyBytes} bytes`);
      return undefined;
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    sendError(response, 400, -32700, 'Parse error: the body is not JSON');
    return undefined;
  }
}

function readToolCall(body: unknown): { id: string | number; tool: string } | undefined {
  const { method, id, params } = (body ?? {}) as {
    method?: unknown;
    id?: unknown;
    params?: { name?: unknown };
  };
  const isId = typeof id === 'string' || typeof id === 'number';
  return method === 'tools/call' && isId && typeof params?.name === 'string'
    ? { id, tool: params.name }
    : undefined;
}

function sendError(response: ServerResponse, status: number, code: number, message: string): void {
  // The connection ends with it, because a body may be left unread.
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));
}
