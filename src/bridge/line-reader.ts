// Cuts a byte stream into lines. A line over the limit is not kept, only read through for the id of the request that it may
// be, so that its sender gets an answer and memory stays bounded.

import { lookAhead, type Content } from '../protocol/envelope.ts';
import { Pieces } from '../protocol/pieces.ts';
import { IdFinder } from './id-finder.ts';

const LF = 0x0a;
const CR = 0x0d;

export interface LineSink {
  /** One line without its end; a long one in the pieces in which it came. The buffers are the taker's. */
  onLine(line: Content): void;
  /** A line over the limit: the id of the request in it as it is written, where it is one and has one. */
  onTooLong(id: string | null, byteLength: number): void;
}

export class LineReader {
  readonly #maxBytes: number;
  readonly #sink: LineSink;
  readonly #parts = new Pieces();
  /** Bytes of the line so far, kept or not. */
  #size = 0;
  #tooLong: IdFinder | undefined;

  constructor(maxBytes: number, sink: LineSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  feed(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(LF, from);
      if (end < 0) break;
      this.#append(chunk.subarray(from, end));
      this.#finish();
      from = end + 1;
    }
    if (from === chunk.length) return;
    const rest = chunk.subarray(from);
    if (this.#parts.size > 0) lookAhead(rest);
    this.#append(rest);
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    if (this.#size > 0) this.#finish();
  }

  #append(part: Buffer): void {
    if (part.length === 0) return;
    this.#size += part.length;
    if (this.#tooLong === undefined && this.#size > this.#maxBytes) {
      this.#tooLong = new IdFinder();
      for (const kept of this.#parts.clear()) this.#tooLong.feed(kept);
    }
    if (this.#tooLong === undefined) this.#parts.add(part);
    else this.#tooLong.feed(part);
  }

  #finish(): void {
    const tooLong = this.#tooLong;
    const size = this.#size;
    this.#size = 0;
    this.#tooLong = undefined;
    if (tooLong !== undefined) this.#sink.onTooLong(tooLong.requestId, size);
    else {
      if (this.#parts.last?.at(-1) === CR) this.#parts.dropLastByte();
      const line = this.#parts.take();
      if (!Buffer.isBuffer(line) || !isBlank(line)) this.#sink.onLine(line);
    }
  }
}

function isBlank(line: Buffer): boolean {
  for (const c of line) if (c !== 0x20 && c !== 0x09 && c !== CR) return false;
  return true;
}
