// Writes messages to the client, one a line, in order; and tells when the client is behind with reading.

import type { Writable } from 'node:stream';

const LINE_END = Buffer.from('\n');
/** Shorter lines are copied together with their end: one write is cheaper than two. */
const COPY_BELOW_BYTES = 16 * 1024;

export class LineWriter {
  readonly #output: Writable;
  #drained: Promise<void> | undefined;

  constructor(output: Writable) {
    this.#output = output;
  }

  /** A message without a line end in it. What is written after the output has closed goes nowhere. */
  write(line: Buffer): void {
    const output = this.#output;
    if (output.destroyed || output.writableEnded) return;
    let hasRoom: boolean;
    if (line.length < COPY_BELOW_BYTES)
      hasRoom = output.write(Buffer.concat([line, LINE_END], line.length + 1));
    else {
      output.cork();
      output.write(line);
      hasRoom = output.write(LINE_END);
      output.uncork();
    }
    if (!hasRoom) this.#drained ??= this.#untilDrained();
  }

  /** A promise while more is waiting to be read than the stream likes to hold; resolves also when the output closes. */
  ready(): Promise<void> | undefined {
    return this.#drained;
  }

  /** Resolves when all that was written has been handed to the system, or the output has closed. */
  flushed(): Promise<void> {
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
