// A reverse proxy on a loopback port that passes every byte on and remembers each exchange, so that a test can say
// what a bridge really sent: how many handshakes, which headers, which ids. It can also cut an open stream.
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { messagesIn, type Message } from './json-rpc.ts';
import { until, type Scope } from './scope.ts';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The JSON-RPC messages of the request body. */
  messages: Message[];
  body: string;
  /** 0 until the service has answered. */
  status: number;
  responseHeaders: IncomingHttpHeaders;
  /** What has come back so far. */
  response: string;
  isOpen: boolean;
  /** Breaks the connection to the client, as a failing network would. */
  cut(): void;
}

export class RecordingProxy {
  readonly origin: string;
  readonly exchanges: Exchange[];

  private constructor(origin: string, exchanges: Exchange[]) {
    this.origin = origin;
    this.exchanges = exchanges;
  }

  /** `socketPath` is where the service listens: a Unix socket or a Windows pipe, so that no port can be lost to others. */
  static async start(scope: Scope, socketPath: string): Promise<RecordingProxy> {
    const exchanges: Exchange[] = [];
    const server = createServer((incoming, outgoing) => pass(incoming, outgoing, socketPath, exchanges));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    scope.defer(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return new RecordingProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, exchanges);
  }

  /** Every message of this method that was sent to the service. */
  sent(method: string): Message[] {
    return this.exchanges.flatMap((exchange) =>
      exchange.messages.filter((message) => message.method === method),
    );
  }

  /** Those of them that the service took; a transport that it does not speak is refused first. */
  accepted(method: string): Message[] {
    return this.exchanges
      .filter(({ status }) => status >= 200 && status < 300)
      .flatMap(({ messages }) => messages.filter((message) => message.method === method));
  }

  /** Waits until the client has a stream open on which the service can speak first; what it said before is lost. */
  listens(): Promise<Exchange> {
    return until('a stream of the service', () =>
      this.of('GET').find(({ status, isOpen }) => status === 200 && isOpen),
    );
  }

  /** The exchanges of this HTTP method. */
  of(method: string): Exchange[] {
    return this.exchanges.filter((exchange) => exchange.method === method);
  }
}

function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  socketPath: string,
  exchanges: Exchange[],
): void {
  const exchange: Exchange = {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: incoming.headers,
    messages: [],
    body: '',
    status: 0,
    responseHeaders: {},
    response: '',
    isOpen: true,
    cut: () => incoming.socket.destroy(),
  };
  exchanges.push(exchange);

  const upstream = request({
    socketPath,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
  });
  upstream.on('response', (answer) => {
    exchange.status = answer.statusCode ?? 0;
    exchange.responseHeaders = answer.headers;
    outgoing.writeHead(exchange.status, answer.headers);
    outgoing.flushHeaders();
    answer.on('data', (chunk: Buffer) => (exchange.response += chunk.toString('latin1')));
    answer.on('error', () => outgoing.destroy());
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => {
    exchange.isOpen = false;
    upstream.destroy();
  });

  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    exchange.body = Buffer.concat(chunks).toString();
    exchange.messages = messagesIn(exchange.body);
  });
  incoming.pipe(upstream);
}
