// A service built on the SDK's own server and HTTP transport, in any of the shapes that the SDK offers: with sessions or
// without, answering by event stream or by plain JSON, with an event store or without. It keeps count of what reached it.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import { MemoryEventStore } from './event-store.ts';
import { messagesIn, type Message } from './json-rpc.ts';
import type { Scope } from './scope.ts';
import { registerTools } from './sdk-server-tools.ts';

export interface ServiceShape {
  /** Off: no session id is ever given out, and every request has a server of its own. */
  sessions?: boolean;
  /** Plain JSON bodies instead of event streams. */
  json?: boolean;
  /** Events are stored, so that a broken stream can be resumed. */
  resumable?: boolean;
  /** What the service asks a client to wait before it resumes. */
  retryMs?: number;
  /** Answers `initialize` with this revision whatever the client asked for. */
  revision?: string;
}

export interface ServedRequest {
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly messages: Message[];
  readonly response: ServerResponse;
  /** As the SDK's transport hands them out; Node.js itself does not tell them afterwards. */
  responseHeaders: Headers;
  readonly at: number;
}

export class SdkService {
  readonly shape: ServiceShape;
  readonly requests: ServedRequest[] = [];
  /** How often each tool has run, by name. */
  readonly executions: Record<string, number> = {};
  /** The calls that were told to stop, by tool name. */
  readonly cancelled: string[] = [];
  /** Statuses that the next GET requests are refused with, first to last. */
  readonly refusals: number[] = [];
  /** When streams were lost on purpose. */
  readonly lossesAt: number[] = [];
  readonly #sessions = new Map<string, { transport: StreamableHTTPServerTransport; server: McpServer }>();
  #url = '';

  private constructor(shape: ServiceShape) {
    this.shape = shape;
  }

  static async start(scope: Scope, shape: ServiceShape = {}): Promise<SdkService> {
    const service = new SdkService(shape);
    const server = createServer((request, response) => {
      service.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    scope.defer(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    service.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
    return service;
  }

  get url(): string {
    return this.#url;
  }

  /** Every message of this method that reached the service. */
  received(method: string): Message[] {
    return this.requests.flatMap(({ messages }) => messages.filter((message) => message.method === method));
  }

  /** The HTTP requests of this HTTP method. */
  of(method: string): ServedRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  /** GET requests that resume a stream. */
  resumptions(): ServedRequest[] {
    return this.of('GET').filter(({ headers }) => headers['last-event-id'] !== undefined);
  }

  get openSessions(): number {
    return this.#sessions.size;
  }

  /** Breaks the connection that a request came on, and those that resumed it, as a failing network would. */
  cutRequest(id: RequestId): void {
    const call = this.requests.find(({ messages }) => messages.some((message) => message.id === id));
    for (const request of [call, ...this.resumptions()]) request?.response.destroy();
  }

  /** Breaks every stream of the server's own. */
  cutOwnStreams(): void {
    for (const { response } of this.of('GET')) response.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const messages = messagesIn(body);
    const { method = '', headers } = request;
    const at = performance.now();
    const served = { method, headers, body, messages, response, responseHeaders: new Headers(), at };
    this.requests.push(served);
    const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
    response.writeHead = (...args: unknown[]) => {
      served.responseHeaders = new Headers(args.at(-1) as Record<string, string>);
      return writeHead(...args);
    };

    const sessionId = headers['mcp-session-id'];
    const known = typeof sessionId === 'string' ? this.#sessions.get(sessionId)?.transport : undefined;
    if (this.shape.sessions === false && method !== 'POST')
      return refuse(response, 405, 'Method not allowed');
    const refusal = method === 'GET' ? this.refusals.shift() : undefined;
    if (refusal !== undefined) return refuse(response, refusal, 'Not now');
    if (known === undefined && sessionId !== undefined) return refuse(response, 404, 'Session not found');
    const transport = known ?? (await this.#open());
    await transport.handleRequest(request, response, method === 'POST' ? JSON.parse(body) : undefined);
  }

  async #open(): Promise<StreamableHTTPServerTransport> {
    const { sessions = true, json = false, resumable = false, retryMs } = this.shape;
    const server = new McpServer(
      { name: 'sdk-service', version: '1.0.0' },
      { capabilities: { logging: {}, tools: { listChanged: true } }, instructions: 'Count with care.' },
    );
    registerTools(server, this);
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: json,
      ...(resumable && { eventStore: new MemoryEventStore() }),
      ...(retryMs !== undefined && { retryInterval: retryMs }),
      ...(sessions && {
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id: string) => void this.#sessions.set(id, { transport, server }),
        onsessionclosed: (id: string) => void this.#sessions.delete(id),
      }),
    });
    await server.connect(transport);
    return transport;
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message }, id: null }));
}
