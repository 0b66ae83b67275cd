// The way out to the client: whole lines, and who has to wait while the client is behind with reading.

import type { Writable } from 'node:stream';
import { errorReply, type Failure } from '../protocol/errors.ts';
import type { LinePieces } from './line-splitter.ts';

export const LINE_END = Buffer.from('\n');

export class Outlet {
  readonly #output: Writable;
  readonly #onFull: (isFull: boolean) => void;
  isFull = false;

  /** @param onFull told when the client falls behind, and when it has caught up */
  constructor(output: Writable, onFull: (isFull: boolean) => void) {
    this.#output = output;
    this.#onFull = onFull;
    output.on('drain', () => {
      if (!this.isFull) return;
      this.isFull = false;
      onFull(false);
    });
  }

  /** What is written meanwhile leaves with one system call. */
  together(write: () => void): void {
    this.#output.cork();
    try {
      write();
    } finally {
      this.#output.uncork();
    }
  }

  /** A line with its end; what is written after the output has closed goes nowhere. */
  write(line: LinePieces): void {
    if (this.#output.destroyed || this.#output.writableEnded) return;
    let hasRoom = true;
    for (const piece of line) hasRoom = this.#output.write(piece);
    if (hasRoom || this.isFull) return;
    this.isFull = true;
    this.#onFull(true);
  }

  /** @param id the request's id as it is written, or null */
  fail(id: string | null, failure: Failure): void {
    this.write([errorReply(id, failure), LINE_END]);
  }

  /** One array of errors, in reply to a batch. */
  failAll(failures: readonly { readonly id: string; readonly failure: Failure }[]): void {
    const replies = failures.map(({ id, failure }) => errorReply(id, failure).toString());
    this.write([Buffer.from(`[${replies.join(',')}]\n`)]);
  }

  sayListsChanged(): void {
    for (const list of ['tools', 'prompts', 'resources']) this.say(`notifications/${list}/list_changed`);
  }

  say(method: string, params?: string): void {
    const rest = params === undefined ? '' : `,"params":${params}`;
    this.write([Buffer.from(`{"jsonrpc":"2.0","method":"${method}"${rest}}\n`)]);
  }

  /** Calls back when the system has taken all that was written. */
  whenFlushed(done: () => void): void {
    if (this.#output.destroyed || this.#output.writableLength === 0) done();
    else this.#output.write('', done);
  }
}
