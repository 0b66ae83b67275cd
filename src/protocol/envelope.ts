// Reads the outside of a JSON-RPC message in place: what kind it is, and where the parts lie that a bridge may have
// to replace. The bytes themselves are never rebuilt, and nothing that is not JSON passes on.

import { isUtf8 } from 'node:buffer';
import { standsAt, wholeNumberIn } from './bytes.ts';
import { scanned, skipSpace, Token } from './json-scan.ts';
import { layOut, OMITTED, type LaidOut } from './long-text.ts';
import { isPlain } from './look-ahead.ts';
import { scanValue, spanOf, spansFound, type Slot, type Span, type Spans } from './member-scan.ts';

export type { Span } from './member-scan.ts';

export type Kind = 'request' | 'notification' | 'response';

/** Bytes in one buffer, or the pieces in which they came: long ones are not put together unless somebody needs them so. */
export type Content = Buffer | readonly Buffer[];

/** What the scanner found in a message. */
export interface Facts {
  readonly kind: Kind;
  /** The id as it is written; in an error response that can be `null`. Absent in notifications only. */
  readonly id: Span | null;
  /** Empty for responses. */
  readonly method: string;
  /** True for a response that carries `error`. */
  readonly isError: boolean;
  readonly spans: Spans;
}

/** One JSON-RPC message, on one line without a line end. */
export class Envelope implements Facts {
  readonly kind: Kind;
  readonly id: Span | null;
  readonly method: string;
  readonly isError: boolean;
  readonly spans: Spans;
  readonly byteLength: number;
  #content: Content;
  /** Of a message in pieces: the short parts. */
  readonly #texts: ReadonlyMap<Span, string> | undefined;
  #name: string | undefined;

  constructor(facts: Facts, content: Content, texts?: ReadonlyMap<Span, string>) {
    this.kind = facts.kind;
    this.id = facts.id;
    this.method = facts.method;
    this.isError = facts.isError;
    this.spans = facts.spans;
    this.#content = content;
    this.#texts = texts;
    this.byteLength = sizeOf(content);
  }

  get content(): Content {
    return this.#content;
  }

  get bytes(): Buffer {
    if (!Buffer.isBuffer(this.#content)) this.#content = Buffer.concat(this.#content);
    return this.#content;
  }

  /** `params.name`, as of the tool that is called; undefined where there is none. */
  get name(): string | undefined {
    return (this.#name ??= stringAt(this, this.spans.name));
  }

  /** The text of a part, as it is written. */
  text(span: Span): string {
    return this.#texts?.get(span) ?? this.bytes.toString('utf8', span.start, span.end);
  }

  /** The whole number that a part is in digits alone; -1 where it is absent or anything else. */
  wholeNumber(span: Span | null | undefined): number {
    if (!span) return -1;
    if (this.#texts === undefined) return wholeNumberIn(this.bytes, span.start, span.end);
    const text = Buffer.from(this.#texts.get(span) ?? '');
    return wholeNumberIn(text, 0, text.length);
  }

  /** A part as it is written, but a number for one that is whole: most ids are, and text costs more. */
  written(span: Span): number | string {
    const number = this.wholeNumber(span);
    return number < 0 ? this.text(span) : number;
  }
}

/** From this size on, pieces stay pieces. */
const LONG_BYTES = 32 * 1024;

/** What came in pieces, `size` bytes in all: put together unless it is long. */
export function gather(pieces: readonly Buffer[], size: number): Content {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first;
  return size < LONG_BYTES ? Buffer.concat(pieces) : pieces;
}

export function bytesOf(content: Content): Buffer {
  return Buffer.isBuffer(content) ? content : Buffer.concat(content);
}

export function textOf(content: Content): string {
  return bytesOf(content).toString('utf8');
}

export function sizeOf(content: Content): number {
  return Buffer.isBuffer(content) ? content.length : content.reduce((sum, { length }) => sum + length, 0);
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
 * @param content UTF-8 text of one JSON value; white space around it and line breaks between tokens are allowed, and
 *   are what makes the message's bytes differ from these (line breaks become spaces, white space around is left out).
 */
export function scanEnvelope(content: Content): ScanResult {
  if (Buffer.isBuffer(content)) return scanBytes(content);
  return scanPieces(content) ?? scanBytes(Buffer.concat(content));
}

/** Longer parts are read from the bytes when somebody wants them. */
const MAX_TEXT = 1024;
const OMISSION = String.fromCharCode(OMITTED);

/** Undefined where the message has to be put together. */
function scanPieces(pieces: readonly Buffer[]): ScanResult | undefined {
  const laidOut = layOut(pieces, isPlain);
  if (laidOut === undefined) return undefined;
  const { bytes, omitted } = laidOut;
  scanned.omissions = omitted.length > 0 ? 0 : undefined;
  const scan = scanBytes(bytes);
  const met = scanned.omissions ?? 0;
  scanned.omissions = undefined;
  // The byte stands in the text itself.
  if (met !== omitted.length) return undefined;
  // What had to be cut out or changed is another text than that in the pieces; and errors name places.
  if (scan.kind !== 'message' || scan.message.content !== bytes) return undefined;
  const { kind, id, method, isError, spans } = scan.message;
  if (method.includes(OMISSION)) return undefined;
  const texts = new Map<Span, string>();
  const place = (span: Span): Span => {
    const there = { start: behindOmissions(span.start, omitted), end: behindOmissions(span.end, omitted) };
    if (there.end - there.start <= MAX_TEXT) texts.set(there, scan.message.text(span));
    return there;
  };
  const placed = Object.entries(spans).map(([slot, span]: [string, Span | undefined]) => [
    slot,
    span && place(span),
  ]);
  const inPieces = Object.fromEntries(placed) as Spans;
  const facts: Facts = { kind, id: id === null ? null : place(id), method, isError, spans: inPieces };
  return { kind: 'message', message: new Envelope(facts, pieces, texts) };
}

/** The place in the whole text, from that in the one with omissions. */
function behindOmissions(at: number, omitted: LaidOut['omitted']): number {
  let moved = at;
  for (const { at: from, length } of omitted) if (from < at) moved += length - 1;
  return moved;
}

function scanBytes(bytes: Buffer): ScanResult {
  scanned.lineBreak = false;
  scanned.seen = 0;
  const scan = scanText(bytes);
  const isAscii = scan.kind !== 'not-json' && scanned.seen < FIRST_BEYOND_ASCII;
  if (isAscii || isUtf8(bytes)) return scan;
  return { kind: 'not-json', reason: 'the bytes are not valid UTF-8', at: 0 };
}

const FIRST_BEYOND_ASCII = 0x80;

function scanText(bytes: Buffer): ScanResult {
  const start = skipSpace(bytes, 0);
  if (bytes[start] === Token.openBracket) return scanBatch(bytes, start);
  const scan = scanValue(bytes, start);
  if ('reason' in scan) return { kind: 'not-json', ...scan };
  const rest = skipSpace(bytes, scan.end);
  if (rest !== bytes.length) {
    return { kind: 'not-json', reason: 'something follows the message', at: rest };
  }
  return toMessage(bytes, start, scan.end, scan.duplicate);
}

function scanBatch(bytes: Buffer, start: number): ScanResult {
  const elements: ScanResult[] = [];
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] !== Token.closeBracket) {
    for (;;) {
      const scan = scanValue(bytes, at);
      if ('reason' in scan) return { kind: 'not-json', ...scan };
      elements.push(toMessage(bytes, at, scan.end, scan.duplicate));
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

/** Of the value that has been scanned last, from `start` up to `end`. */
function toMessage(source: Buffer, start: number, end: number, duplicate: Slot | null): ScanResult {
  const spans = spansFound(start);
  const id = spanOf('id', start);
  const method = spanOf('method', start);
  const isError = spans.error !== undefined;
  const hasResult = spans.result !== undefined;
  const idStart = id === undefined ? undefined : source[start + id.start];
  const idIsUsable = idStart === Token.quote || isNumberStart(idStart);
  let name = '';
  let fault: string | undefined;

  if (source[start] !== Token.openBrace) fault = 'a message is a JSON object';
  else if (duplicate !== null) fault = `the member "${duplicate}" stands twice`;
  else if (!fills(VERSION, source, start, spanOf('jsonrpc', start))) fault = '"jsonrpc" must be "2.0"';
  else if (method !== undefined) {
    if (source[start + method.start] !== Token.quote) fault = '"method" must be a string';
    else if (hasResult || isError) fault = 'a request carries no result';
    else if (id !== undefined && !idIsUsable) fault = '"id" must be a string or a number';
    else name = methodAt(source, start, method);
  } else if (id === undefined) fault = 'a message needs "method" or "id"';
  else if (hasResult === isError) fault = 'it has neither "method" nor exactly one of "result" and "error"';
  else if (!idIsUsable && !(idStart === Token.smallN && isError)) fault = '"id" must be a string or a number';

  if (fault !== undefined) {
    const shown = idIsUsable && id !== undefined;
    return {
      kind: 'invalid',
      reason: fault,
      id: shown ? source.toString('utf8', start + id.start, start + id.end) : null,
      isRequest: method !== undefined || (!hasResult && !isError),
    };
  }
  const kind: Kind = method === undefined ? 'response' : id === undefined ? 'notification' : 'request';
  const facts: Facts = { kind, id: id ?? null, method: name, isError, spans };
  return { kind: 'message', message: new Envelope(facts, oneLine(source, start, end)) };
}

function isNumberStart(c: number | undefined): boolean {
  return c !== undefined && (c === Token.minus || (c >= Token.zero && c <= Token.nine));
}

/** Cuts the message out of its source; line breaks, which JSON has only between tokens, become spaces. */
function oneLine(source: Buffer, start: number, end: number): Buffer {
  const bytes = start === 0 && end === source.length ? source : source.subarray(start, end);
  if (!scanned.lineBreak) return bytes;
  const line = Buffer.from(bytes);
  for (let i = 0; i < line.length; i += 1) {
    if (line[i] === Token.lineFeed || line[i] === Token.carriageReturn) line[i] = Token.space;
  }
  return line;
}

const VERSION = Buffer.from('"2.0"');

/** A JSON string that the scanner has accepted. */
function decodeString(source: Buffer, origin: number, { start, end }: Span): string {
  const text = source.toString('utf8', origin + start + 1, origin + end - 1);
  return text.includes('\\') && !text.includes(OMISSION) ? (JSON.parse(`"${text}"`) as string) : text;
}

/** The methods that nearly every message has: these need no decoding. */
const COMMON_METHODS = ['tools/call', 'notifications/progress'].map((name) => ({
  name,
  bytes: Buffer.from(`"${name}"`),
}));

function methodAt(source: Buffer, origin: number, span: Span): string {
  for (const { name, bytes } of COMMON_METHODS) if (fills(bytes, source, origin, span)) return name;
  return decodeString(source, origin, span);
}

function fills(text: Buffer, source: Buffer, origin: number, span: Span | undefined): boolean {
  if (span === undefined || span.end - span.start !== text.length) return false;
  return standsAt(text, source, origin + span.start);
}

/** A request's or response's id as it is written. */
export function idText(message: Envelope): string {
  return message.id === null ? 'null' : message.text(message.id);
}

/** A part that is a JSON string, decoded; undefined where it is absent or of another type. */
export function stringAt(message: Envelope, span: Span | undefined): string | undefined {
  if (span === undefined) return undefined;
  const text = message.text(span);
  if (!text.startsWith('"')) return undefined;
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1);
}

/** A map key for an id or token as it is written: `1` and `"1"` differ, `"a"` and `"\u0061"` do not. */
export function idKey(raw: string): string {
  return raw.includes('\\') ? JSON.stringify(JSON.parse(raw)) : raw;
}
