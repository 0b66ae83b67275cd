// Finds the end of long JSON strings sixteen bytes at a time. An answer of a megabyte is nearly always one string with a
// document in it, and reading that byte by byte took longer than receiving it. JavaScript has no way to look at more than a
// few bytes at once, so the inner loop is a WebAssembly function with SIMD instructions; where these are missing, nothing is
// skipped here and the caller reads on by itself.

/** What the function looks at: which bytes may follow a backslash, one byte each, and behind that the text or a piece of it. */
const TEXT = 256;
const PAGE = 65_536;
const PAGES = 2;
export const MAX_WINDOW = 65_536;
/** A string that has gone on for some hundred bytes will not go on for a megabyte as a rule. */
const FIRST_WINDOW = 1024;
/** What is shorter is as quickly read byte by byte. */
const SHORT = 64;
/** The function reads sixteen bytes, and one behind a backslash. */
const REACH = 17;
/** The memory never gets smaller again, so longer texts are not laid out in it. */
const MAX_LAID_OUT = 8 * 1024 * 1024;

/** Missing in the types of Node.js. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface Kernel {
  readonly exported: Memory;
  /** All of it; another one after it has grown. */
  memory: Uint8Array;
  /** The position of the first byte from `at` on that is neither plain nor part of a two-byte escape; or near `end`. */
  readonly skip: (at: number, end: number) => number;
}

let kernel: Kernel | null | undefined;

/**
 * Skips what is plain or escaped as it should be.
 * @param at inside a string, not behind a backslash
 * @param firstWindow how much is looked at first, in bytes; it grows from there
 * @returns where the caller has to look on: at the closing quote, what JSON forbids, or the last bytes of the text
 */
export function skipLongText(bytes: Buffer, at: number, firstWindow = FIRST_WINDOW): number {
  kernel ??= load();
  if (kernel === null) return at;
  const { memory } = kernel;
  if (bytes.buffer === memory.buffer) {
    const base = bytes.byteOffset;
    return skipIn(kernel, base + at, base + bytes.length) - base;
  }
  let window = firstWindow;
  let from = at;
  while (bytes.length - from >= SHORT) {
    const size = Math.min(window, bytes.length - from);
    memory.set(bytes.subarray(from, from + size), TEXT);
    const end = TEXT + size;
    const i = skipIn(kernel, TEXT, end);
    from += i - TEXT;
    if (i + REACH <= end) return from;
    window = Math.min(window * 2, MAX_WINDOW);
  }
  return from;
}

/** Stands for a plain piece in a text that is laid out. JSON has it nowhere. */
export const OMITTED = 0x01;

/** A text that is laid out. */
export interface LaidOut {
  readonly bytes: Buffer;
  /** Where a piece is left out, and how long it is. */
  readonly omitted: readonly { readonly at: number; readonly length: number }[];
}

/**
 * Lays the pieces of a text out in one place, where it can be read until the next call of a function of this file. Putting it
 * together for good would need memory of its own, which costs more than reading it.
 * @param isPlain pieces that lie in a string as a whole: OMITTED takes their place
 * @returns undefined where that cannot be done
 */
export function layOut(
  pieces: readonly Buffer[],
  isPlain: (piece: Buffer) => boolean = () => false,
): LaidOut | undefined {
  kernel ??= load();
  if (kernel === null) return undefined;
  const omitted: { at: number; length: number }[] = [];
  const lengths = pieces.map((piece) => (isPlain(piece) ? -1 : piece.length));
  const size = lengths.reduce((sum, length) => sum + Math.abs(length), 0);
  if (size > MAX_LAID_OUT) return undefined;
  const missing = TEXT + size - kernel.memory.length;
  if (missing > 0) {
    kernel.exported.grow(Math.ceil(missing / PAGE));
    kernel.memory = new Uint8Array(kernel.exported.buffer);
  }
  let at = TEXT;
  for (const [i, piece] of pieces.entries()) {
    if (lengths[i] === -1) {
      omitted.push({ at: at - TEXT, length: piece.length });
      kernel.memory[at] = OMITTED;
      at += 1;
    } else {
      kernel.memory.set(piece, at);
      at += piece.length;
    }
  }
  return { bytes: Buffer.from(kernel.memory.buffer as ArrayBuffer, TEXT, size), omitted };
}

function skipIn({ memory, skip }: Kernel, at: number, end: number): number {
  let i = skip(at, end);
  while (i + REACH <= end && isUnicodeEscape(memory, i)) i = skip(i + 6, end);
  return i;
}

function isUnicodeEscape(memory: Uint8Array, at: number): boolean {
  if (memory[at] !== 0x5c || memory[at + 1] !== 0x75) return false;
  for (let i = at + 2; i < at + 6; i += 1) {
    const c = memory[i] as number;
    const isHex = (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
    if (!isHex) return false;
  }
  return true;
}

function load(): Kernel | null {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble()));
    const exported = exports['memory'] as Memory;
    const memory = new Uint8Array(exported.buffer);
    for (const c of Buffer.from('"\\/bfnrt')) memory[c] = 1;
    return { exported, memory, skip: exports['skip'] as Kernel['skip'] };
  } catch {
    return null;
  }
}

/**
 * A module with one function, written out by hand (WebAssembly core specification 2.0, chapter 5). In words:
 *
 *     for each sixteen bytes from `at` on, while seventeen are left:
 *       marks = a bit for each byte that is a quote, a backslash or below 0x20
 *       for each mark: it must be a backslash with a byte behind it that memory names; else return its place
 *     return at
 */
function assemble(): Uint8Array<ArrayBuffer> {
  const [at, end, marks, place, lanes] = [0, 1, 2, 3, 4] as const;
  const get = (local: number): number[] => [0x20, local];
  const set = (local: number): number[] => [0x21, local];
  const tee = (local: number): number[] => [0x22, local];
  const i32 = (value: number): number[] => [0x41, ...signed(value)];
  const [add, sub, and, shiftLeft, trailingZeros, isZero, equals, differs, exceeds] = [
    0x6a, 0x6b, 0x71, 0x74, 0x68, 0x45, 0x46, 0x47, 0x4b,
  ] as const;
  const byteAt = (offset: number): number[] => [0x2d, 0, offset];
  const sixteenBytes = [0xfd, 0x00, 0, 0];
  const everyLane = (value: number): number[] => [...i32(value), 0xfd, 0x0f];
  const [lanesEqual, lanesBelow, lanesOr, lanesToBits] = [
    [0xfd, 0x23],
    [0xfd, 0x26],
    [0xfd, 0x50],
    [0xfd, 0x64],
  ] as const;
  const [loop, when, close] = [[0x03, 0x40], [0x04, 0x40], 0x0b] as const;
  const giveBack = (local: number): number[] => [...get(local), 0x0f];
  const repeat = (levelsUp: number): number[] => [0x0c, levelsUp];
  const advance = (by: number): number[] => [...get(at), ...i32(by), add, ...set(at)];

  const lines: readonly (readonly number[])[] = [
    loop,
    [...get(at), ...i32(REACH), add, ...get(end), exceeds, ...when, ...giveBack(at), close],
    [...get(at), ...sixteenBytes, ...tee(lanes), ...everyLane(0x22), ...lanesEqual],
    [...get(lanes), ...everyLane(0x5c), ...lanesEqual, ...lanesOr],
    [...get(lanes), ...everyLane(0x20), ...lanesBelow, ...lanesOr],
    [...lanesToBits, ...set(marks)],
    loop,
    [...get(marks), isZero, ...when, ...advance(16), ...repeat(2), close],
    [...get(at), ...get(marks), trailingZeros, add, ...tee(place)],
    [...byteAt(0), ...i32(0x5c), differs, ...when, ...giveBack(place), close],
    [...get(place), ...byteAt(1), ...byteAt(0), isZero, ...when, ...giveBack(place), close],
    // What is escaped is no mark; behind the last of the sixteen it is the first of the next.
    [...get(marks), ...i32(-4), ...get(place), ...get(at), sub, shiftLeft, and, ...set(marks)],
    [...get(place), ...get(at), sub, ...i32(15), equals, ...when, ...advance(17), ...repeat(2), close],
    [...repeat(0), close],
    [0x00, close, 0x00, close], // never reached
  ];
  const locals = [2, 2, 0x7f, 1, 0x7b]; // two i32, one v128
  const section = (id: number, body: readonly number[]): number[] => [id, ...sized(body)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f]), // (i32, i32) → i32
    ...section(3, [1, 0]),
    ...section(5, [1, 0, PAGES]),
    ...section(7, [2, ...sized([...Buffer.from('memory')]), 2, 0, ...sized([...Buffer.from('skip')]), 0, 0]),
    ...section(10, [1, ...sized([...locals, ...lines.flat()])]),
  ]);
}

function sized(body: readonly number[]): number[] {
  const { length } = body; // below 2 ** 14
  return length < 0x80 ? [length, ...body] : [(length & 0x7f) | 0x80, length >>> 7, ...body];
}

/** LEB128 of what fits into 14 bits. */
function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, (value >> 7) & 0x7f];
}
