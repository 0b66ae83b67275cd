// A plain HTTP client of an MCP service, for tests of the services themselves: no bridge, no retries, no opinion.
import { Agent, fetch, type RequestInit, type Response } from 'undici';
import type { JsonObject, RpcMessage } from './scripted/messages.ts';

/** Every request gets its own connection, so that no test meets one that the service has just ended. */
const dispatcher = new Agent({ pipelining: 0 });

export class McpHttp {
  readonly #url: string;
  sessionId: string | undefined;
  #id = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** POSTs a message (or any text) and returns the response, whatever it is. */
  post(message: object | string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.#url, {
      method: 'POST',
      redirect: 'manual',
      dispatcher,
      ...init,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(this.sessionId !== undefined && { 'mcp-session-id': this.sessionId }),
        ...(init.headers as Record<string, string> | undefined),
      },
      body: typeof message === 'string' ? message : JSON.stringify(message),
    });
  }

  open(method: 'GET' | 'DELETE', headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.#url, {
      method,
      dispatcher,
      headers: {
        accept: 'text/event-stream',
        ...(this.sessionId !== undefined && { 'mcp-session-id': this.sessionId }),
        ...headers,
      },
    });
  }

  request(method: string, params: JsonObject = {}, init: RequestInit = {}): Promise<Response> {
    this.#id += 1;
    return this.post({ jsonrpc: '2.0', id: this.#id, method, params }, init);
  }

  call(name: string, args: JsonObject = {}, init: RequestInit = {}): Promise<Response> {
    return this.request('tools/call', { name, arguments: args }, init);
  }

  notify(method: string, params: JsonObject = {}): Promise<Response> {
    return this.post({ jsonrpc: '2.0', method, params });
  }

  async initialize(protocolVersion = '2025-11-25'): Promise<RpcMessage> {
    const clientInfo = { name: 'plain', version: '1' };
    const response = await this.request('initialize', { protocolVersion, capabilities: {}, clientInfo });
    this.sessionId = response.headers.get('mcp-session-id') ?? undefined;
    const answer = await answerOf(response);
    await this.notify('notifications/initialized');
    return answer;
  }
}

/** The one JSON-RPC message of a JSON body, or the last of an event stream. */
export async function answerOf(response: Response): Promise<RpcMessage> {
  const text = await response.text();
  if (!response.headers.get('content-type')?.includes('event-stream')) return JSON.parse(text) as RpcMessage;
  const last = eventsOf(text).at(-1);
  if (last === undefined) throw new Error(`No event in ${JSON.stringify(text)}`);
  return JSON.parse(last.data) as RpcMessage;
}

export interface ReceivedEvent {
  id: string | undefined;
  event: string | undefined;
  data: string;
}

/** The events of a complete stream; good enough for what our own services write. */
export function eventsOf(text: string): ReceivedEvent[] {
  return text
    .split('\n\n')
    .map((block) => {
      const values = (name: string): string[] =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2));
      return { id: values('id')[0], event: values('event')[0], data: values('data').join('\n') };
    })
    .filter(({ data }) => data !== '');
}
