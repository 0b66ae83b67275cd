// Finds the end of long JSON strings 64 bytes at a time. An answer of a megabyte is nearly always one string with a
// document in it, and reading that byte by byte took longer than receiving it. JavaScript has no way to look at more than a
// few bytes at once, so the inner loop is a WebAssembly function with SIMD instructions; where these are missing, nothing is
// skipped here and the caller reads on by itself.

/** Where in its memory the function finds the text or a piece of it. */
const TEXT = 64;
const PAGE = 65_536;
const PAGES = 2;
export const MAX_WINDOW = 65_536;
/** A string that has gone on for some hundred bytes will not go on for a megabyte as a rule. */
export const FIRST_WINDOW = 1024;
/** What is shorter is as quickly read byte by byte. */
const SHORT = 80;
/** The function reads so many bytes at a time, and may go back to a backslash before them. */
const REACH = 65;
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
  while (i + REACH <= end && isUnicodeEscape(memory, i)) {
    do i += 6;
    while (i + REACH <= end && isUnicodeEscape(memory, i));
    i = skip(i, end);
  }
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
    return { exported, memory, skip: exports['skip'] as Kernel['skip'] };
  } catch {
    return null;
  }
}

/**
 * A module with one function, written out by hand (WebAssembly core specification 2.0, chapters 5 and 6). In words:
 *
 *     for each 64 bytes from `at` on, while so many are left:
 *       marks = a bit for each byte that is a quote or below 0x20; slashes = a bit for each backslash
 *       where there is none of both, and the byte before was no escape, that was all
 *       escaped = a bit for each byte behind a backslash that is not escaped itself, by the arithmetic of simdjson's
 *         json_escape_scanner (github.com/simdjson/simdjson, Apache-2.0)
 *       wrong = marks that are not escaped, and escaped bytes that may not be
 *       where there is one, return its place, or that of the backslash before it
 *     return `at`, or the place of the backslash before it
 */
function assemble(): Uint8Array<ArrayBuffer> {
  const [at, end, slashes, marks, escaped, carry, wrong] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [quote, slash, lastControl, lowNibble, byLow, byHigh] = [7, 8, 9, 10, 11, 12] as const;
  const lanes = [13, 14, 15, 16] as const;
  const get = (local: number): number[] => [0x20, local];
  const set = (local: number): number[] => [0x21, local];
  const i32 = (value: number): number[] => [0x41, ...signed(BigInt(value))];
  const i64 = (value: bigint): number[] => [0x42, ...signed(value)];
  const [add, sub, exceeds, both] = [0x6a, 0x6b, 0x4b, 0x72] as const;
  const [isZero, or, and, xor, minus, shiftLeft, shiftRight, trailingZeros, toI64, toI32] = [
    0x50, 0x84, 0x83, 0x85, 0x7d, 0x86, 0x88, 0x7a, 0xad, 0xa7,
  ] as const;
  const not = [...i64(-1n), xor];
  const simd = (code: number): number[] => [0xfd, code];
  const [equal, least, anyTrue, toBits, andLanes, orLanes, swizzle, shiftLanes] = [
    0x23, 0x77, 0x53, 0x64, 0x4e, 0x50, 0x0e, 0x6d,
  ].map(simd) as [number[], number[], number[], number[], number[], number[], number[], number[]];
  const everyLane = (value: number): number[] => constant(Array.from({ length: 16 }, () => value));
  const constant = (bytes: readonly number[]): number[] => [...simd(0x0c), ...bytes];
  const [loop, when, close, giveBack] = [[0x03, 0x40], [0x04, 0x40], 0x0b, 0x0f] as const;
  const next = (levelsUp: number): number[] => [...get(at), ...i32(64), add, ...set(at), 0x0c, levelsUp];

  const isSlash = (lane: number): number[] => [...get(lane), ...get(slash), ...equal];
  const isMark = (lane: number): number[] => [
    ...[...get(lane), ...get(quote), ...equal],
    ...[...get(lane), ...get(lastControl), ...least, ...get(lane), ...equal],
    ...orLanes,
  ];
  const mayNotBeEscaped = (lane: number): number[] => [
    ...[...get(byLow), ...get(lane), ...get(lowNibble), ...andLanes, ...swizzle],
    ...[...get(byHigh), ...get(lane), ...i32(4), ...shiftLanes, ...swizzle],
    ...[...andLanes, ...everyLane(0), ...equal],
  ];
  /** One bit a byte, of all 64. */
  const bits = (test: (lane: number) => number[]): number[] =>
    lanes.flatMap((lane, n) => [
      ...[...test(lane), ...toBits, toI64],
      ...(n === 0 ? [] : [...i64(BigInt(16 * n)), shiftLeft, or]),
    ]);
  const odd = i64(-0x5555555555555556n); // every second bit, 0xaaaa…

  const code: readonly (readonly number[])[] = [
    [
      ...everyLane(0x22),
      ...set(quote),
      ...everyLane(0x5c),
      ...set(slash),
      ...everyLane(0x1f),
      ...set(lastControl),
    ],
    [...everyLane(0x0f), ...set(lowNibble), ...constant(LEGAL_BY_LOW), ...set(byLow)],
    [...constant(LEGAL_BY_HIGH), ...set(byHigh)],
    loop,
    [...get(at), ...i32(64), add, ...get(end), exceeds, ...when],
    [...get(at), ...get(carry), toI32, sub, giveBack, close],
    lanes.flatMap((lane, n) => [...get(at), ...simd(0x00), 0, 16 * n, ...set(lane)]),
    lanes.flatMap((lane, n) => [...isSlash(lane), ...isMark(lane), ...orLanes, ...(n === 0 ? [] : orLanes)]),
    [...anyTrue, ...get(carry), toI32, both, 0x45, ...when, ...next(1), close],
    [...bits(isSlash), ...set(slashes), ...bits(isMark), ...set(marks)],
    // wrong, for the moment: the bytes that escape another one, and those that end a row of backslashes
    [...get(slashes), ...get(carry), ...not, and, ...set(escaped)],
    [...get(escaped), ...i64(1n), shiftLeft, ...odd, or, ...get(escaped), minus, ...odd, xor, ...set(wrong)],
    [...get(wrong), ...get(slashes), ...get(carry), or, xor, ...set(escaped)],
    [...get(wrong), ...get(slashes), and, ...i64(63n), shiftRight, ...set(carry)],
    [
      ...get(marks),
      ...get(escaped),
      ...not,
      and,
      ...get(escaped),
      ...bits(mayNotBeEscaped),
      and,
      or,
      ...set(wrong),
    ],
    [...get(wrong), isZero, ...when, ...next(1), close],
    [...get(wrong), trailingZeros, ...set(wrong), ...get(at), ...get(wrong), toI32, add],
    [...get(escaped), ...get(wrong), shiftRight, toI32, ...i32(1), 0x71, sub, giveBack],
    [close, 0x00, close], // never reached
  ];
  const locals = [2, 5, 0x7e, 10, 0x7b]; // five i64, ten v128
  const section = (id: number, body: readonly number[]): number[] => [id, ...sized(body)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f]), // (i32, i32) → i32
    ...section(3, [1, 0]),
    ...section(5, [1, 0, PAGES]),
    ...section(7, [2, ...sized([...Buffer.from('memory')]), 2, 0, ...sized([...Buffer.from('skip')]), 0, 0]),
    ...section(10, [1, ...sized([...locals, ...code.flat()])]),
  ]);
}

/** What may follow a backslash, but for `u`: a byte is one of these where its two halves have a bit in common here. */
const LEGAL_BY_LOW = [0, 0, 13, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1];
const LEGAL_BY_HIGH = [0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0];

function sized(body: readonly number[]): number[] {
  const { length } = body; // below 2 ** 14
  return length < 0x80 ? [length, ...body] : [(length & 0x7f) | 0x80, length >>> 7, ...body];
}

/** LEB128. */
function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const isAll = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
  return isAll ? [low] : [low | 0x80, ...signed(rest)];
}
