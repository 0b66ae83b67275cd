// Cuts a byte stream into lines. A line over the limit is not kept, only read through for the id of the request that it may
// be, so that its sender gets an answer and memory stays bounded.

import { IdFinder } from './id-finder.ts';

const LF = 0x0a;
const CR = 0x0d;

export interface LineSink {
  /** One line without its end. The buffer is the taker's. */
  onLine(line: Buffer): void;
  /** A line over the limit: the id of the request in it as it is written, where it is one and has one. */
  onTooLong(id: string | null, byteLength: number): void;
}

export class LineReader {
  readonly #maxBytes: number;
  readonly #sink: LineSink;
  #parts: Buffer[] = [];
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
    if (from < chunk.length) this.#append(chunk.subarray(from));
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    if (this.#size > 0) this.#finish();
  }

  #append(part: Buffer): void {
    this.#size += part.length;
    if (this.#tooLong === undefined && this.#size > this.#maxBytes) {
      this.#tooLong = new IdFinder();
      for (const kept of this.#parts) this.#tooLong.feed(kept);
      this.#parts = [];
    }
    if (this.#tooLong === undefined) this.#parts.push(part);
    else this.#tooLong.feed(part);
  }

  #finish(): void {
    const [first] = this.#parts;
    const line = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    const tooLong = this.#tooLong;
    const size = this.#size;
    this.#parts = [];
    this.#size = 0;
    this.#tooLong = undefined;
    if (tooLong !== undefined) this.#sink.onTooLong(tooLong.requestId, size);
    else {
      const withoutCr = line.at(-1) === CR ? line.subarray(0, -1) : line;
      if (!isBlank(withoutCr)) this.#sink.onLine(withoutCr);
    }
  }
}

function isBlank(line: Buffer): boolean {
  for (const c of line) if (c !== 0x20 && c !== 0x09 && c !== CR) return false;
  return true;
}
