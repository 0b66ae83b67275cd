// What a scripted service saw: kept in full, for tests to assert on.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { parseMessages, type JsonObject, type RpcMessage } from './messages.ts';
import type { FaultSocket } from './sockets.ts';

export interface RequestRecord {
  /** Position in the record, from 0. */
  readonly index: number;
  /** Milliseconds on a monotonic clock. */
  readonly at: number;
  readonly http: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The bytes that were sent, as they were sent. */
  readonly body: Buffer;
  readonly text: string;
  readonly messages: readonly RpcMessage[];
  /** Method of the first message; undefined for a GET, a DELETE and an answer. */
  readonly rpc: string | undefined;
  readonly tool: string | undefined;
  /** The tool argument `key`, by which executions are counted. */
  readonly key: string | undefined;
  readonly sessionId: string | undefined;
  /** Number of the socket that it came on, from 1. */
  readonly socket: number;
}

export function recordOf(index: number, req: IncomingMessage, body: Buffer): RequestRecord {
  const { method: http = '', url: path = '', headers } = req;
  const text = body.toString('utf8');
  const messages = http === 'POST' ? parseMessages(text) : [];
  const first = messages[0];
  const call = messages.find((message) => message.method === 'tools/call');
  const key = (call?.params?.['arguments'] as JsonObject | undefined)?.['key'];
  return {
    index,
    at: performance.now(),
    http,
    path,
    headers,
    body,
    text,
    messages,
    rpc: first?.method,
    tool: call?.params?.['name'] as string | undefined,
    key: typeof key === 'string' ? key : undefined,
    sessionId: headers['mcp-session-id'] as string | undefined,
    socket: (req.socket as unknown as FaultSocket).number,
  };
}

export class ServiceRecord {
  readonly requests: RequestRecord[] = [];
  /** `initialize` requests that were executed. */
  handshakes = 0;
  /** Executions of any tool by its `key` argument. */
  readonly executions = new Map<string, number>();
  /** Ids that `notifications/cancelled` named, in order. */
  readonly cancelled: unknown[] = [];
  /** Session ids that were ended by DELETE. */
  readonly deleted: string[] = [];
  /** Answers that the client gave to the service's own requests. */
  readonly answers: RpcMessage[] = [];

  countExecution(key: string): void {
    this.executions.set(key, (this.executions.get(key) ?? 0) + 1);
  }

  /** Requests of a JSON-RPC method. */
  of(rpc: string): RequestRecord[] {
    return this.requests.filter((request) => request.rpc === rpc);
  }

  /** Requests of an HTTP method. */
  by(http: string): RequestRecord[] {
    return this.requests.filter((request) => request.http === http);
  }
}
