// The lexical part of JSON over bytes (RFC 8259): white space, strings, numbers and literals.

import { isDigit } from './bytes.ts';
import { OMITTED, skipLongText } from './long-text.ts';

export const Token = {
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  smallN: 0x6e,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/**
 * What holds for the text that is being scanned; scanning is synchronous, so nobody comes between.
 * - `lineBreak`: skipSpace has met one
 * - `seen`: all bytes of strings or-ed together, so that text without bytes from 0x80 on is known for ASCII
 * - `omissions`: how often OMITTED has been met, in strings; undefined where it may not stand
 */
export const scanned: { lineBreak: boolean; seen: number; omissions: number | undefined } = {
  lineBreak: false,
  seen: 0,
  omissions: undefined,
};

export function skipSpace(bytes: Buffer, at: number): number {
  let i = at;
  for (;;) {
    const c = bytes[i];
    if (c === undefined || c > Token.space) return i;
    if (c === Token.lineFeed || c === Token.carriageReturn) scanned.lineBreak = true;
    else if (c !== Token.space && c !== 0x09) return i;
    i += 1;
  }
}

/** Behind this many bytes without an end, a string is taken to be a long text. */
const LONG_TEXT = 192;
/** Any byte may have been there. */
const UNKNOWN = 0xff;

/**
 * Skips the rest of a string.
 * @param at the first byte behind the opening quote
 * @returns the position behind the closing quote; ~position of what JSON forbids, or of the end where the quote is missing
 */
export function skipString(bytes: Buffer, at: number): number {
  const end = bytes.length;
  let i = at;
  let longFrom = at + LONG_TEXT;
  let seen = 0;
  while (i < end) {
    if (i >= longFrom) {
      i = skipLongText(bytes, i);
      seen = UNKNOWN;
      longFrom = end;
      if (i >= end) return ~end;
    }
    const c = bytes[i] as number;
    seen |= c;
    if (c === Token.quote) {
      scanned.seen |= seen;
      return i + 1;
    }
    if (c < 0x20) {
      if (c !== OMITTED || scanned.omissions === undefined) return ~i;
      scanned.omissions += 1;
      longFrom = i + LONG_TEXT;
    }
    if (c !== Token.backslash) {
      i += 1;
      continue;
    }
    switch (bytes[i + 1]) {
      case 0x22: // "
      case 0x5c: // \
      case 0x2f: // /
      case 0x62: // b
      case 0x66: // f
      case 0x6e: // n
      case 0x72: // r
      case 0x74: // t
        i += 2;
        break;
      case 0x75: // u
        if (!isHex(bytes[i + 2]) || !isHex(bytes[i + 3]) || !isHex(bytes[i + 4]) || !isHex(bytes[i + 5]))
          return ~i;
        i += 6;
        break;
      default:
        return ~i;
    }
  }
  return ~end;
}

function isHex(c: number | undefined): boolean {
  if (c === undefined) return false;
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}

const LITERALS = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')];

/** Skips a number, `true`, `false` or `null`; ~at where none of them stands there. */
export function skipScalar(bytes: Buffer, at: number): number {
  const c = bytes[at];
  if (c === Token.minus || isDigit(c)) return skipNumber(bytes, at);
  for (const literal of LITERALS) {
    if (c !== literal[0]) continue;
    const end = at + literal.length;
    return end <= bytes.length && literal.compare(bytes, at, end) === 0 ? end : ~at;
  }
  return ~at;
}

function skipNumber(bytes: Buffer, at: number): number {
  let i = at;
  if (bytes[i] === Token.minus) i += 1;
  if (bytes[i] === Token.zero) i += 1;
  else if (isDigit(bytes[i])) i = skipDigits(bytes, i);
  else return ~at;
  if (bytes[i] === 0x2e) {
    if (!isDigit(bytes[i + 1])) return ~at;
    i = skipDigits(bytes, i + 1);
  }
  if (bytes[i] === 0x65 || bytes[i] === 0x45) {
    i += 1;
    if (bytes[i] === 0x2b || bytes[i] === Token.minus) i += 1;
    if (!isDigit(bytes[i])) return ~at;
    i = skipDigits(bytes, i);
  }
  return i;
}

function skipDigits(bytes: Buffer, at: number): number {
  let i = at;
  while (isDigit(bytes[i])) i += 1;
  return i;
}
