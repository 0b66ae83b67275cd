// Reads and copies short texts byte by byte. A process that has slept until a message came finds nothing of its code in the processor's
// caches, and each call into Node.js' native functions costs it more than such a loop.

const SHORT_BYTES = 512;
const SHORT_TEXT = 24;
const FIRST_BEYOND_ASCII = 0x80;
const ZERO = 0x30;
/** Every whole number of so many digits is exact. */
const MAX_DIGITS = 15;

/** Whether this text stands there. */
export function standsAt(text: Buffer, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text[i]) return false;
  return true;
}

export function isDigit(c: number | undefined): boolean {
  return c !== undefined && c >= ZERO && c <= ZERO + 9;
}

/** The number that stands there in digits alone; -1 where none does, or more digits than are exact. */
export function wholeNumberIn(bytes: Buffer, start: number, end: number): number {
  if (end <= start || end - start > MAX_DIGITS) return -1;
  let number = 0;
  for (let i = start; i < end; i += 1) {
    if (!isDigit(bytes[i])) return -1;
    number = number * 10 + (bytes[i] as number) - ZERO;
  }
  return number;
}

/** @returns where the next byte goes */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > SHORT_BYTES) return at + from.copy(to, at, start, end);
  for (let i = start, o = at; i < end; i += 1, o += 1) to[o] = from[i] as number;
  return at + end - start;
}

/** Of its UTF-8. @param text or a whole number, for its digits */
export function byteLength(text: string | number): number {
  if (typeof text === 'number') return digitsOf(text);
  return isShortAscii(text) ? text.length : Buffer.byteLength(text);
}

/** @returns where the next byte goes */
export function copyText(text: string | number, to: Buffer, at: number): number {
  if (typeof text === 'number') return copyDigits(text, to, at);
  if (!isShortAscii(text)) return at + to.write(text, at);
  for (let i = 0; i < text.length; i += 1) to[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function digitsOf(number: number): number {
  let digits = 1;
  for (let bound = 10; number >= bound; bound *= 10) digits += 1;
  return digits;
}

function copyDigits(number: number, to: Buffer, at: number): number {
  const end = at + digitsOf(number);
  let rest = number;
  for (let i = end - 1; i >= at; i -= 1) {
    const next = Math.floor(rest / 10);
    to[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}

function isShortAscii(text: string): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) >= FIRST_BEYOND_ASCII) return false;
  return true;
}
