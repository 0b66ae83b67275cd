// Bytes that arrive a piece at a time, kept until their end comes. Who sends them decides how they are cut: a byte at a time would
// cost a hundred times their size, so short pieces are put together.

import { gather, type Content } from './envelope.ts';

/** Shorter pieces are copied into a block of this size. */
const BLOCK_BYTES = 4096;

export class Pieces {
  #pieces: Buffer[] = [];
  #size = 0;
  /** What the last piece may still grow into. */
  #block: Buffer | undefined;

  /** Bytes in all. */
  get size(): number {
    return this.#size;
  }

  get last(): Buffer | undefined {
    return this.#pieces.at(-1);
  }

  /** @param piece not to be changed any more */
  add(piece: Buffer): void {
    this.#size += piece.length;
    // What comes whole, or in long pieces, is not copied.
    if (piece.length >= BLOCK_BYTES || this.#pieces.length === 0) {
      this.#pieces.push(piece);
      this.#block = undefined;
    } else this.#copy(piece);
  }

  dropLastByte(): void {
    const { last } = this;
    if (last === undefined) return;
    this.#pieces[this.#pieces.length - 1] = last.subarray(0, -1);
    this.#size -= 1;
  }

  /** All of it; from then on it begins anew. */
  take(): Content {
    const content = gather(this.#pieces, this.#size);
    this.clear();
    return content;
  }

  /** The same, in the pieces that are there. */
  clear(): readonly Buffer[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#size = 0;
    this.#block = undefined;
    return pieces;
  }

  #copy(piece: Buffer): void {
    const { last } = this;
    const block = this.#block;
    if (block !== undefined && last !== undefined && last.length + piece.length <= block.length) {
      piece.copy(block, last.length);
      this.#pieces[this.#pieces.length - 1] = block.subarray(0, last.length + piece.length);
      return;
    }
    const next = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    piece.copy(next);
    this.#block = next;
    this.#pieces.push(next.subarray(0, piece.length));
  }
}
