// Reads the outside of a JSON-RPC message in place: what kind it is, and where the parts lie that a bridge may have
// to replace. The bytes themselves are never rebuilt, and nothing that is not JSON passes on.

import { isUtf8 } from 'node:buffer';
import { passed, skipSpace, Token } from './json-scan.ts';
import { scanValue, type Found, type Slot, type Span, type Spans } from './member-scan.ts';

export type { Span } from './member-scan.ts';

/** One JSON-RPC message: its bytes on one line without a line end, and what the scanner found in them. */
export interface Envelope {
  readonly kind: 'request' | 'notification' | 'response';
  readonly bytes: Buffer;
  /** The id as it is written; in an error response that can be `null`. Absent in notifications only. */
  readonly id: Span | null;
  /** Empty for responses. */
  readonly method: string;
  /** True for a response that carries `error`. */
  readonly isError: boolean;
  readonly spans: Spans;
}

export type ScanResult =
  | { readonly kind: 'message'; readonly message: Envelope }
  | { readonly kind: 'batch'; readonly elements: readonly ScanResult[] }
  /** Not JSON (or not UTF-8): JSON-RPC error -32700. */
  | { readonly kind: 'not-json'; readonly reason: string; readonly at: number }
  /** JSON, but not a JSON-RPC 2.0 message: error -32600, with the id where one could be read. */
  | {
      readonly kind: 'invalid';
      readonly reason: string;
      readonly id: string | null;
      readonly isRequest: boolean;
    };

/**
 * Scans one line or HTTP body.
 * @param bytes UTF-8 text of one JSON value; white space around it and line breaks between tokens are allowed, and
 *   are what makes the message's `bytes` differ from these (line breaks become spaces, white space around is left out).
 */
export function scanEnvelope(bytes: Buffer): ScanResult {
  if (!isUtf8(bytes)) return { kind: 'not-json', reason: 'the bytes are not valid UTF-8', at: 0 };
  passed.lineBreak = false;
  const start = skipSpace(bytes, 0);
  if (bytes[start] === Token.openBracket) return scanBatch(bytes, start);
  const found: Found = { outer: {}, spans: {} };
  const scan = scanValue(bytes, start, found);
  if ('reason' in scan) return { kind: 'not-json', ...scan };
  const rest = skipSpace(bytes, scan.end);
  if (rest !== bytes.length) {
    return { kind: 'not-json', reason: 'something follows the message', at: rest };
  }
  return toMessage(bytes, { start, end: scan.end }, found, scan.duplicate);
}

function scanBatch(bytes: Buffer, start: number): ScanResult {
  const elements: ScanResult[] = [];
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] !== Token.closeBracket) {
    for (;;) {
      const found: Found = { outer: {}, spans: {} };
      const scan = scanValue(bytes, at, found);
      if ('reason' in scan) return { kind: 'not-json', ...scan };
      elements.push(toMessage(bytes, { start: at, end: scan.end }, found, scan.duplicate));
      at = skipSpace(bytes, scan.end);
      if (bytes[at] === Token.closeBracket) break;
      if (bytes[at] !== Token.comma) return { kind: 'not-json', reason: 'expected "," or "]"', at };
      at = skipSpace(bytes, at + 1);
    }
  }
  at = skipSpace(bytes, at + 1);
  if (at !== bytes.length) return { kind: 'not-json', reason: 'something follows the batch', at };
  return { kind: 'batch', elements };
}

function toMessage(source: Buffer, whole: Span, found: Found, duplicate: Slot | null): ScanResult {
  const { spans } = found;
  const { jsonrpc, id, method } = found.outer;
  const idStart = id === undefined ? undefined : source[id.start];
  const idIsUsable = idStart === Token.quote || isNumberStart(idStart);
  const invalid = (reason: string): ScanResult => {
    return {
      kind: 'invalid',
      reason,
      id: idIsUsable && id !== undefined ? source.toString('utf8', id.start, id.end) : null,
      isRequest: method !== undefined || (spans.result === undefined && spans.error === undefined),
    };
  };

  if (source[whole.start] !== Token.openBrace) return invalid('a message is a JSON object');
  if (duplicate !== null) return invalid(`the member "${duplicate}" stands twice`);
  if (jsonrpc === undefined || !stands(VERSION, source, jsonrpc)) return invalid('"jsonrpc" must be "2.0"');

  const isError = spans.error !== undefined;
  const message = (kind: Envelope['kind'], name: string): ScanResult => {
    const bytes = oneLine(source, whole);
    const own = whole.start === 0 ? spans : shiftAll(spans, whole.start);
    return { kind: 'message', message: { kind, id: idSpan, method: name, bytes, isError, spans: own } };
  };
  const idSpan = id === undefined ? null : shift(id, whole.start);
  if (method !== undefined) {
    if (source[method.start] !== Token.quote) return invalid('"method" must be a string');
    if (spans.result !== undefined || spans.error !== undefined)
      return invalid('a request carries no result');
    const name = methodAt(source, method);
    if (id === undefined) return message('notification', name);
    return idIsUsable ? message('request', name) : invalid('"id" must be a string or a number');
  }
  if (id === undefined) return invalid('a message needs "method" or "id"');
  if ((spans.result === undefined) === (spans.error === undefined)) {
    return invalid('it has neither "method" nor exactly one of "result" and "error"');
  }
  if (idIsUsable || (idStart === Token.smallN && isError)) return message('response', '');
  return invalid('"id" must be a string or a number');
}

function isNumberStart(c: number | undefined): boolean {
  return c !== undefined && (c === Token.minus || (c >= Token.zero && c <= Token.nine));
}

function shift(span: Span, by: number): Span {
  return by === 0 ? span : { start: span.start - by, end: span.end - by };
}

/** Cuts the message out of its source; line breaks, which JSON has only between tokens, become spaces. */
function oneLine(source: Buffer, whole: Span): Buffer {
  const isAll = whole.start === 0 && whole.end === source.length;
  const bytes = isAll ? source : source.subarray(whole.start, whole.end);
  if (!passed.lineBreak) return bytes;
  const line = Buffer.from(bytes);
  for (let i = 0; i < line.length; i += 1) {
    if (line[i] === Token.lineFeed || line[i] === Token.carriageReturn) line[i] = Token.space;
  }
  return line;
}

function shiftAll(spans: Spans, by: number): Spans {
  const shifted: Spans = {};
  for (const [slot, span] of Object.entries(spans) as [keyof Spans, Span][]) shifted[slot] = shift(span, by);
  return shifted;
}

const VERSION = Buffer.from('"2.0"');

/** A JSON string that the scanner has accepted. */
function decodeString(source: Buffer, { start, end }: Span): string {
  const text = source.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}

/** The methods that nearly every message has: these need no decoding. */
const COMMON_METHODS = ['tools/call', 'notifications/progress'].map((name) => ({
  name,
  bytes: Buffer.from(`"${name}"`),
}));

function methodAt(source: Buffer, span: Span): string {
  for (const { name, bytes } of COMMON_METHODS) if (stands(bytes, source, span)) return name;
  return decodeString(source, span);
}

function stands(text: Buffer, source: Buffer, { start, end }: Span): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (source[start + i] !== text[i]) return false;
  return true;
}

/** The text of a part of a message, as it is written there. */
export function rawText(message: Envelope, span: Span): string {
  return message.bytes.toString('utf8', span.start, span.end);
}

/** A request's or response's id as it is written. */
export function idText(message: Envelope): string {
  return message.id === null ? 'null' : rawText(message, message.id);
}

/** A part that is a JSON string, decoded; undefined where it is absent or of another type. */
export function stringAt(message: Envelope, span: Span | undefined): string | undefined {
  if (span === undefined || message.bytes[span.start] !== Token.quote) return undefined;
  return decodeString(message.bytes, span);
}

/** A map key for an id or token as it is written: `1` and `"1"` differ, `"a"` and `"\u0061"` do not. */
export function idKey(raw: string): string {
  return raw.includes('\\') ? JSON.stringify(JSON.parse(raw)) : raw;
}

/** Every whole number of so many digits is exact. */
const MAX_DIGITS = 15;

/** The whole number that is written there in digits alone; -1 where it is anything else. */
export function wholeNumberAt(message: Envelope, span: Span | null): number {
  if (span === null || span.end - span.start > MAX_DIGITS) return -1;
  let number = 0;
  for (let i = span.start; i < span.end; i += 1) {
    const digit = (message.bytes[i] as number) - Token.zero;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** As in a response to what had no id that could be read. */
export function hasNullId({ id, bytes }: Envelope): boolean {
  return id === null || bytes[id.start] === Token.smallN;
}
