// Cuts a byte stream into whole lines without copying: a line is the pieces that it came in, its end included. Only whole
// lines are passed on, so that a side that dies in the middle of one leaves nothing half-said on the other.

import { IdFinder } from '../bridge/id-finder.ts';
import { Pieces } from '../protocol/pieces.ts';

const LF = 0x0a;

/** One line with its end, in the pieces that it came in; never empty. */
export type LinePieces = readonly Buffer[];

export interface LineTaker {
  onLine(line: LinePieces): void;
  /** A line over the limit, which was not kept: the id of the request in it, where it is one. */
  onTooLong(id: string | null, byteLength: number): void;
}

export class LineSplitter {
  /** The longest line that is kept. Where it becomes less, the next piece shows. */
  maxBytes: number;
  readonly #taker: LineTaker;
  readonly #rest = new Pieces();
  /** Bytes of the line so far, kept or not. */
  #restBytes = 0;
  #tooLong: IdFinder | undefined;

  constructor(maxBytes: number, taker: LineTaker) {
    this.maxBytes = maxBytes;
    this.#taker = taker;
  }

  /** Bytes of a line whose end has not come yet. */
  get heldBytes(): number {
    return this.#tooLong === undefined ? this.#restBytes : 0;
  }

  /** The end of a line has still to come, kept or not. */
  get isInLine(): boolean {
    return this.#restBytes > 0;
  }

  feed(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      this.#append(from === 0 && end === chunk.length - 1 ? chunk : chunk.subarray(from, end + 1));
      this.#finish();
      from = end + 1;
    }
    if (from < chunk.length) this.#append(from === 0 ? chunk : chunk.subarray(from));
  }

  #append(piece: Buffer): void {
    this.#restBytes += piece.length;
    if (this.#tooLong === undefined && this.#restBytes > this.maxBytes + 1) {
      this.#tooLong = new IdFinder();
      for (const kept of this.#rest.clear()) this.#tooLong.feed(kept);
    }
    if (this.#tooLong === undefined) this.#rest.add(piece);
    else this.#tooLong.feed(piece);
  }

  #finish(): void {
    const line = this.#rest.clear();
    const tooLong = this.#tooLong;
    const size = this.#restBytes;
    this.#restBytes = 0;
    this.#tooLong = undefined;
    if (tooLong === undefined) this.#taker.onLine(line);
    else this.#taker.onTooLong(tooLong.requestId, size - 1);
  }
}
