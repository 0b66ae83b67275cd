// Cuts a byte stream into lines. A line over the limit is not kept, only read through for the id of the request that it may
// be, so that its sender gets an answer and memory stays bounded.

import { afterThisTurn } from '../platform/clock.ts';
import type { Content } from '../protocol/envelope.ts';
import { LookAhead, MIN_PLAIN } from '../protocol/look-ahead.ts';
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
  readonly #ahead = new LookAhead();
  /**
   * Pieces of a line that goes on. They are looked at when no more can be read at the moment: then its sender is busy as well, with
   * writing the next ones, and not kept waiting.
   */
  readonly #arrived: Buffer[] = [];
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
      const isWhole = this.#size === 0 && this.#arrived.length === 0 && end - from <= this.#maxBytes;
      if (isWhole) this.#give(chunk, from, end);
      else {
        this.#keepArrived();
        this.#append(chunk.subarray(from, end));
        this.#finish();
      }
      from = end + 1;
    }
    if (from === chunk.length) return;
    this.#keep(chunk.subarray(from));
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    this.#keepArrived();
    if (this.#size > 0) this.#finish();
  }

  /** A line that lies in one piece. */
  #give(bytes: Buffer, start: number, lineEnd: number): void {
    const end = lineEnd > start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (!isBlank(bytes, start, end)) this.#sink.onLine(bytes.subarray(start, end));
  }

  #keep(piece: Buffer): void {
    const isShort = piece.length < MIN_PLAIN && this.#arrived.length === 0;
    if (isShort) this.#append(piece);
    else if (this.#arrived.push(piece) === 1) afterThisTurn(() => this.#lookAhead());
  }

  #lookAhead(): void {
    for (const piece of this.#arrived.splice(0))
      for (const part of this.#ahead.divide(piece, this.#size === 0)) this.#append(part);
  }

  #keepArrived(): void {
    if (this.#arrived.length === 0) return;
    for (const piece of this.#arrived.splice(0)) this.#append(piece);
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
      if (!Buffer.isBuffer(line) || !isBlank(line, 0, line.length)) this.#sink.onLine(line);
    }
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    const c = bytes[i];
    if (c !== 0x20 && c !== 0x09 && c !== CR) return false;
  }
  return true;
}
