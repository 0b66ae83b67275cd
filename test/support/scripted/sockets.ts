// The service's sockets, below HTTP: what listens, what is open, and the faults that only a socket can have (a reset, a
// silence, a closed port). HTTP itself is node:http's, which gets each connection as a plain stream.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** One accepted connection. While it is silent no byte passes in either direction, and the peer cannot tell. */
export class FaultSocket extends Duplex {
  #isFinished = false;
  readonly number: number;
  readonly #raw: Socket;
  #silent = false;
  #waiting: (() => void)[] = [];

  constructor(raw: Socket, number: number) {
    super({ allowHalfOpen: true });
    this.number = number;
    this.#raw = raw;
    raw.on('data', (chunk: Buffer) => {
      this.#whenAudible(() => {
        if (!this.push(chunk)) raw.pause();
      });
    });
    raw.on('end', () => this.#whenAudible(() => this.push(null)));
    raw.on('error', () => this.destroy());
    raw.on('close', () => this.destroy());
    raw.pause();
  }

  silence(): void {
    this.#silent = true;
    this.#raw.pause();
  }

  /** Lets pass what had to wait, in order, as retransmission would. */
  speak(): void {
    this.#silent = false;
    for (const act of this.#waiting.splice(0)) act();
    this.#raw.resume();
  }

  /** Ends the connection with RST: what the peer still had to read may be lost too. */
  reset(): void {
    // A reset behind a FIN leaves the handle in a state that Node.js cannot clean up at its end.
    if (this.#isFinished) this.#raw.destroy();
    else this.#raw.resetAndDestroy();
    this.destroy();
  }

  /** Ends the connection with FIN, wherever the HTTP message stood. */
  finish(): void {
    this.#isFinished = true;
    this.#raw.end();
  }

  #whenAudible(act: () => void): void {
    if (this.#silent) this.#waiting.push(act);
    else act();
  }

  override _read(): void {
    if (!this.#silent) this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#whenAudible(() => this.#raw.write(chunk, done));
  }

  override _writev(parts: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(
      Buffer.concat(parts.map((part) => Buffer.from(part.chunk))),
      'buffer' as BufferEncoding,
      done,
    );
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#whenAudible(() => this.#raw.end(() => done()));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#raw.destroy();
    done(error);
  }
}

/** What happens to a new connection: served, accepted but never read, or reset at once. */
export type Welcome = 'serve' | 'silent' | 'reset';

export class SocketTable {
  readonly open = new Set<FaultSocket>();
  /** Connections ever accepted; also the number of the newest one. */
  opened = 0;
  welcome: Welcome = 'serve';
  #server: Server | undefined;
  readonly #onConnection: (socket: FaultSocket) => void;
  readonly #onChange: () => void;

  constructor(onConnection: (socket: FaultSocket) => void, onChange: () => void) {
    this.#onConnection = onConnection;
    this.#onChange = onChange;
  }

  /** Listens on loopback; port 0 takes a free one. Returns the port. */
  async listen(port: number): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (raw) => this.#accept(raw));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  #accept(raw: Socket): void {
    this.opened += 1;
    const socket = new FaultSocket(raw, this.opened);
    if (this.welcome === 'reset') return socket.reset();
    if (this.welcome === 'silent') socket.silence();
    this.open.add(socket);
    socket.once('close', () => {
      this.open.delete(socket);
      this.#onChange();
    });
    this.#onConnection(socket);
    this.#onChange();
  }

  resetAll(): void {
    for (const socket of [...this.open]) socket.reset();
  }

  /** New connections are refused from now on; those that are open stay. */
  stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }
}
