// An HTTP proxy as companies have them: knows the names of their network, may want a user name and a password, and refuses
// whom it does not know. Counts what it is asked.
import { createServer as createHttp, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { pem, type Signed } from './certificates.ts';

export interface ProxyOptions {
  /** Where `host:port` leads; who is not listed is refused with 403. */
  readonly routes?: Readonly<Record<string, string>>;
  /** As `user:password`. */
  readonly credentials?: string;
  /** Spoken to over TLS. */
  readonly identity?: Signed;
  /** Answers every CONNECT so. */
  readonly status?: number;
  /** Never answers. */
  readonly isSilent?: boolean;
}

export class ConnectProxy {
  /** Each `host:port` that a tunnel was asked for. */
  readonly asked: string[] = [];
  /** The Proxy-Authorization of each. */
  readonly shown: (string | undefined)[] = [];
  /** Other requests: a bridge must make none. */
  readonly others: string[] = [];
  options: ProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: ProxyOptions) {
    this.options = options;
    this.#server = options.identity === undefined ? createHttp() : createHttps(pem(options.identity));
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('request', (request, response) => {
      this.others.push(`${request.method} ${request.url}`);
      response.writeHead(400).end();
    });
    this.#server.on('connect', (request, socket, head) => this.#onConnect(request, socket as Socket, head));
  }

  get origin(): string {
    const scheme = this.options.identity === undefined ? 'http' : 'https';
    return `${scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** With a user name and a password in it. */
  originWith(credentials: string): string {
    return this.origin.replace('://', `://${credentials}@`);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #onConnect(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { routes = {}, credentials, status, isSilent = false } = this.options;
    const target = request.url ?? '';
    this.asked.push(target);
    const shown = request.headers['proxy-authorization'];
    this.shown.push(shown);
    socket.on('error', () => {});
    if (isSilent) return;
    const wanted =
      credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    const refusal = status ?? (wanted !== undefined && shown !== wanted ? 407 : undefined);
    const place = routes[target];
    if (refusal !== undefined || place === undefined) {
      socket.end(`HTTP/1.1 ${refusal ?? 403} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const behind = connect(Number(place.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      behind.write(head);
      socket.pipe(behind).pipe(socket);
    });
    this.#keep(behind);
    // The pipes end each other; destroying would lose what is still on its way.
    behind.on('error', () => socket.destroy());
    socket.on('error', () => behind.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

export async function useProxy(options: ProxyOptions = {}): Promise<ConnectProxy> {
  const proxy = new ConnectProxy(options);
  await proxy.listen();
  onTestFinished(() => proxy.close());
  return proxy;
}
