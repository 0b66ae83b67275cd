// Writes messages to the client, one a line, in order; and tells when the client is behind with reading.

import type { Readable, Writable } from 'node:stream';
import { afterThisTurn } from '../platform/clock.ts';
import { copyBytes } from '../protocol/bytes.ts';
import type { Content } from '../protocol/envelope.ts';

const LF = 0x0a;
const LINE_END = Buffer.of(LF);
/** Shorter lines are copied together with their end: one write is cheaper than two. */
const COPY_BELOW_BYTES = 16 * 1024;
/** While more waits to be read, in bytes, nothing is taken from who does not read it. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

export class LineWriter {
  readonly #output: Writable;
  #drained: Promise<void> | undefined;
  /**
   * A line that comes alone is written at once. Where several come in one turn of the event loop, the following ones leave
   * together at its end with one system call, and so do those of the next turn.
   */
  #lines = 0;
  /** The end of the turn will be noticed. */
  #isAwaited = false;
  #isBusy = false;
  #isHeld = false;

  constructor(output: Writable) {
    this.#output = output;
  }

  /**
   * What is written after the output has closed goes nowhere.
   * @param line without a line end in it
   * @param isLast nothing else is expected in this turn
   */
  write(line: Content, isLast = false): void {
    const output = this.#output;
    if (output.destroyed || output.writableEnded) return;
    this.#lines += 1;
    if (this.#lines > 1 || this.#isBusy) this.#hold();
    let hasRoom: boolean;
    if (Buffer.isBuffer(line) && line.length < COPY_BELOW_BYTES) hasRoom = output.write(withEnd(line));
    else {
      output.cork();
      for (const piece of Buffer.isBuffer(line) ? [line] : line) output.write(piece);
      hasRoom = output.write(LINE_END);
      output.uncork();
    }
    if (!hasRoom) this.#drained ??= this.#untilDrained();
    if (isLast && !this.#isHeld) this.#lines = 0;
    // The client first.
    else if (!this.#isAwaited) {
      this.#isAwaited = true;
      afterThisTurn(this.#endTurn);
    }
  }

  #hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#output.cork();
  }

  readonly #endTurn = (): void => {
    this.#isAwaited = false;
    this.#isBusy = this.#lines > 1;
    this.#lines = 0;
    this.flush();
  };

  /** Lets go at once what was held back for company. */
  flush(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#output.uncork();
  }

  /** A promise while more is waiting to be read than the stream likes to hold; resolves also when the output closes. */
  ready(): Promise<void> | undefined {
    return this.#drained;
  }

  /**
   * Has the client say no more while it is far behind with reading. The service's answers wait for it to read; those of the
   * bridge's own come as fast as it asks.
   */
  holdUp(input: Readable): void {
    if (this.#drained === undefined || this.#output.writableLength <= MAX_UNREAD_BYTES) return;
    input.pause();
    void this.#drained.then(() => input.resume());
  }

  /** Resolves when all that was written has been handed to the system, or the output has closed. */
  flushed(): Promise<void> {
    this.flush();
    const output = this.#output;
    if (output.destroyed || output.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      output.write('', () => resolve());
      output.once('close', resolve);
    });
  }

  #untilDrained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#output.off('drain', done);
        this.#output.off('close', done);
        this.#drained = undefined;
        resolve();
      };
      this.#output.on('drain', done);
      this.#output.on('close', done);
    });
  }
}

function withEnd(line: Buffer): Buffer {
  const out = Buffer.allocUnsafe(line.length + 1);
  out[copyBytes(line, 0, line.length, out, 0)] = LF;
  return out;
}
