// The little HTTP/1.1 that the command line needs to talk to the daemon over the local socket: one request a connection. Node's
// own client takes longer to load than `mcp-bridge status` may take altogether.

import { connect } from 'node:net';
import type { Signal } from './abort.ts';
import type { Clock } from './clock.ts';

export interface SocketRequest {
  readonly socketPath: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** How long nothing may come, in milliseconds. */
  readonly silenceMs: number;
  /** Ends the exchange, also in the middle of the body. */
  readonly signal?: Signal;
  readonly onHead?: (status: number) => void;
  readonly onData: (chunk: Buffer) => void;
}

const MAX_HEAD_BYTES = 64 * 1024;

/** What is not HTTP, or breaks off. */
export class BrokenResponse extends Error {
  override readonly name = 'BrokenResponse';
}

/**
 * @returns the status, when the body has ended
 * @throws the socket's own error, with its code, or BrokenResponse
 */
export function requestOverSocket(options: SocketRequest): Promise<number> {
  const { socketPath, method, path, headers, clock, silenceMs, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const reader = new ResponseReader(options.onData);
  const socket = connect(socketPath);
  const onSilence = (): void =>
    void socket.destroy(new BrokenResponse(`no answer within ${silenceMs / 1000} s`));
  let timer = clock.after(silenceMs, onSilence);
  const heard = (): void => {
    timer.cancel();
    timer = clock.after(silenceMs, onSilence);
  };
  const onAbort = (): void => void socket.destroy();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();

  socket.on('connect', () => {
    const fields = { Host: 'localhost', Connection: 'close', ...headers };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const length = method === 'POST' ? 'Content-Length: 0\r\n' : '';
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}${length}\r\n`);
  });
  socket.on('data', (chunk: Buffer) => {
    heard();
    try {
      const had = reader.status;
      reader.feed(chunk);
      if (had === undefined && reader.status !== undefined) options.onHead?.(reader.status);
      if (reader.isDone) socket.destroy();
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
  socket.on('error', reject);
  socket.on('close', () => {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
    if (
      reader.status !== undefined &&
      (reader.isDone || reader.endsWithConnection || signal?.aborted === true)
    )
      resolve(reader.status);
    else reject(new BrokenResponse(signal?.aborted === true ? 'given up' : 'the answer broke off'));
  });
  return promise;
}

type Body = { kind: 'length'; left: number } | { kind: 'chunked'; left: number } | { kind: 'until-close' };

/** Takes a response apart as it arrives. Exported for its test. */
export class ResponseReader {
  readonly #onData: (chunk: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);
  #body: Body | undefined;
  status: number | undefined;
  isDone = false;

  constructor(onData: (chunk: Buffer) => void) {
    this.#onData = onData;
  }

  get endsWithConnection(): boolean {
    return this.#body?.kind === 'until-close';
  }

  /** @throws BrokenResponse */
  feed(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#body === undefined) this.#readHead();
    switch (this.#body?.kind) {
      case undefined:
        return;
      case 'until-close':
        this.#emit(this.#rest.length);
        return;
      case 'length':
        this.#body.left -= this.#emit(Math.min(this.#body.left, this.#rest.length));
        this.isDone = this.#body.left === 0;
        return;
      case 'chunked':
        this.#readChunks(this.#body);
    }
  }

  #readHead(): void {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#rest.length > MAX_HEAD_BYTES) throw new BrokenResponse('the head of the answer has no end');
      return;
    }
    const [first = '', ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n');
    this.#rest = this.#rest.subarray(end + 4);
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1];
    if (status === undefined) throw new BrokenResponse('who answers does not speak HTTP');
    this.status = Number(status);
    const field = (name: string): string | undefined =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    const length = field('content-length');
    if (field('transfer-encoding')?.toLowerCase() === 'chunked') this.#body = { kind: 'chunked', left: 0 };
    else if (length !== undefined && /^\d+$/.test(length))
      this.#body = { kind: 'length', left: Number(length) };
    else this.#body = { kind: 'until-close' };
  }

  #readChunks(body: { left: number }): void {
    for (;;) {
      if (body.left > 0) {
        if (this.#rest.length === 0) return;
        body.left -= this.#emit(Math.min(body.left, this.#rest.length));
        continue;
      }
      // A size on a line of its own, with the end of the chunk before it.
      const match = /^(?:\r\n)?([0-9a-f]{1,8})[^\r\n]*\r\n/i.exec(this.#rest.toString('latin1', 0, 128));
      if (match === null) {
        if (this.#rest.length >= 128) throw new BrokenResponse('the answer is cut up wrongly');
        return;
      }
      this.#rest = this.#rest.subarray(match[0].length);
      body.left = Number.parseInt(match[1] as string, 16);
      if (body.left === 0) {
        this.isDone = true;
        return;
      }
    }
  }

  #emit(length: number): number {
    if (length > 0) this.#onData(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    return length;
  }
}
