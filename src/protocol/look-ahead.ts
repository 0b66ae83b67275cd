// Looks at the pieces of a long message as they come, so that the whole is scanned in less time when it is there. Most of a long message
// is one string as a rule, so most pieces are a part of it and nothing else: these are left out of the scan. It pays where the next
// piece has to be waited for, as on a client's pipe; not where they have all come already.

import { isUtf8 } from 'node:buffer';
import { skipString, Token } from './json-scan.ts';
import { FIRST_WINDOW, MAX_WINDOW, skipLongText } from './long-text.ts';

/** Shorter pieces are as quickly scanned as left out, in bytes. */
export const MIN_PLAIN = 4096;
/** The quotes of so many short strings may stand before the long one. */
const MAX_QUOTES = 100;
const SMALL_U = 0x75;
/** Bytes of escapes, with and without `u`. */
const UNICODE_ESCAPE = 6;
const SHORT_ESCAPE = 2;

const plainPieces = new WeakSet<Buffer>();

/** What is found is true of the piece alone: begun inside a string, it ends inside it. */
export function isPlain(piece: Buffer): boolean {
  return plainPieces.has(piece);
}

export class LookAhead {
  /** Bytes of the escape that the last piece broke off in. */
  #begun = 0;

  /**
   * The parts in which to keep the next piece: what is only half an escape or a character at either end is a part of its own.
   * @param isFirst of its message
   */
  divide(piece: Buffer, isFirst: boolean): readonly Buffer[] {
    let from = isFirst ? 0 : this.#endOfBegun(piece);
    this.#begun = 0;
    let to = from;
    // All of it as a rule; of the first piece what stands behind some short strings.
    let window = isFirst ? FIRST_WINDOW : MAX_WINDOW;
    for (let quotes = 0; piece.length - from >= MIN_PLAIN && quotes < MAX_QUOTES; quotes += 1) {
      const end = skipString(piece, skipLongText(piece, from, window));
      if (end < 0) {
        to = ~end;
        break;
      }
      from = end;
      window = FIRST_WINDOW;
    }
    const left = piece.length - to;
    if (left === 0) to = endOfCharacters(piece);
    else if (left < UNICODE_ESCAPE && piece[to] === Token.backslash) this.#begun = left;
    else return [piece];
    const plain = piece.subarray(from, to);
    if (plain.length < MIN_PLAIN || !isUtf8(plain)) return [piece];
    plainPieces.add(plain);
    return [piece.subarray(0, from), plain, piece.subarray(to)];
  }

  /** Where the escape or the character ends that the last piece broke off in. */
  #endOfBegun(piece: Buffer): number {
    if (this.#begun > 0)
      return (this.#begun === 1 && piece[0] !== SMALL_U ? SHORT_ESCAPE : UNICODE_ESCAPE) - this.#begun;
    let at = 0;
    while (at < 3 && isContinuation(piece[at])) at += 1;
    return at;
  }
}

/** The end, or where a character begins that is not all there. */
function endOfCharacters(piece: Buffer): number {
  const { length } = piece;
  let at = length;
  while (length - at < 3 && isContinuation(piece[at - 1])) at -= 1;
  const lead = piece[at - 1] ?? 0;
  const size = lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return size > length - at + 1 ? at - 1 : length;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
