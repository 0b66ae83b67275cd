// Reads the outside of a JSON-RPC message in place: what kind it is, and where the parts lie that a bridge may have
// to replace. The bytes themselves are never rebuilt. The scanner accepts exactly what JSON.parse accepts (for bytes
// that are valid UTF-8), so that nothing that is not JSON passes on, and it needs no stack however deep a value nests.

import { isUtf8 } from 'node:buffer';
import { skipString, skipScalar, skipSpace, Token } from './json-scan.ts';

/** Where a value lies in the message's bytes: from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

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

/** Parts below `params` and `result` that routing and splicing need; absent when the message has no such member. */
export interface Spans {
  params?: Span;
  result?: Span;
  error?: Span;
  name?: Span;
  uri?: Span;
  level?: Span;
  task?: Span;
  requestId?: Span;
  /** `params.progressToken`, as in notifications/progress. */
  progressToken?: Span;
  /** `params._meta.progressToken`, as in requests that ask for progress. */
  metaProgressToken?: Span;
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

/** The members that are looked for, as a tree; `slot` names the place in the result. */
interface Node {
  readonly slot: Slot | null;
  readonly children: readonly { readonly key: Buffer; readonly node: Node }[];
}
type Slot = keyof Spans | 'jsonrpc' | 'id' | 'method';

function node(slot: Slot | null, children: Record<string, Node> = {}): Node {
  return {
    slot,
    children: Object.entries(children).map(([key, child]) => ({ key: Buffer.from(key), node: child })),
  };
}

const MEMBERS = node(null, {
  jsonrpc: node('jsonrpc'),
  id: node('id'),
  method: node('method'),
  result: node('result'),
  error: node('error'),
  params: node('params', {
    name: node('name'),
    uri: node('uri'),
    level: node('level'),
    task: node('task'),
    requestId: node('requestId'),
    progressToken: node('progressToken'),
    _meta: node(null, { progressToken: node('metaProgressToken') }),
  }),
});

type Found = Partial<Record<Slot, Span>>;

/**
 * Scans one line or HTTP body.
 * @param bytes UTF-8 text of one JSON value; white space around it and line breaks between tokens are allowed, and
 *   are what makes the message's `bytes` differ from these (line breaks become spaces, white space around is left out).
 */
export function scanEnvelope(bytes: Buffer): ScanResult {
  if (!isUtf8(bytes)) return { kind: 'not-json', reason: 'the bytes are not valid UTF-8', at: 0 };
  const start = skipSpace(bytes, 0);
  if (bytes[start] === Token.openBracket) return scanBatch(bytes, start);
  const found: Found = {};
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
      const found: Found = {};
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

/** Why bytes are not JSON, and where that shows. */
interface ScanFailure {
  readonly reason: string;
  readonly at: number;
}

interface ValueScan {
  readonly end: number;
  /** A wanted member that stands twice, which parsers would read differently. */
  readonly duplicate: Slot | null;
}

/** What the scanner expects next. Containers are remembered in a byte each, not on the call stack. */
const IN_ARRAY = 0;
const IN_OBJECT = 1;

/** Checks the value at `at` and fills `found` from its members. */
function scanValue(bytes: Buffer, at: number, found: Found): ValueScan | ScanFailure {
  let containers = new Uint8Array(64);
  let depth = 0;
  let duplicate: Slot | null = null;
  // For the first levels: the node of the open container, and of the member being read in it, with where it began.
  const openNode: (Node | undefined)[] = [];
  const memberNode: (Node | undefined)[] = [];
  const memberStart: number[] = [];
  const WATCHED = 3;

  let i = at;
  let incoming: Node | undefined = MEMBERS;
  for (;;) {
    // A value begins at i.
    const c = bytes[i];
    if (c === Token.openBrace || c === Token.openBracket) {
      const isObject = c === Token.openBrace;
      if (depth === containers.length) {
        const grown = new Uint8Array(containers.length * 4);
        grown.set(containers);
        containers = grown;
      }
      containers[depth] = isObject ? IN_OBJECT : IN_ARRAY;
      if (depth < WATCHED) {
        openNode[depth] = isObject ? incoming : undefined;
        memberNode[depth] = undefined;
      }
      depth += 1;
      i = skipSpace(bytes, i + 1);
      if (bytes[i] === (isObject ? Token.closeBrace : Token.closeBracket)) {
        i += 1;
        depth -= 1;
      } else if (isObject) {
        i = readKey(i);
        if (i < 0) return { reason: 'expected a member name or "}"', at: ~i };
        continue;
      } else {
        incoming = undefined;
        continue;
      }
    } else {
      const next = c === Token.quote ? skipString(bytes, i + 1) : skipScalar(bytes, i);
      if (next < 0) return { reason: 'unexpected text', at: ~next };
      i = next;
    }
    // A value ended before i: close what ends here, or go on to the next one.
    for (;;) {
      if (depth === 0) return { end: i, duplicate };
      const inObject = containers[depth - 1] === IN_OBJECT;
      if (inObject && depth <= WATCHED) endMember(i);
      i = skipSpace(bytes, i);
      const d = bytes[i];
      if (d === Token.comma) {
        i = skipSpace(bytes, i + 1);
        if (inObject) {
          i = readKey(i);
          if (i < 0) return { reason: 'expected a member name', at: ~i };
        } else {
          incoming = undefined;
        }
        break;
      }
      if (d !== (inObject ? Token.closeBrace : Token.closeBracket))
        return { reason: 'unexpected text', at: i };
      depth -= 1;
      i += 1;
    }
  }

  /** Reads `"name" :` and returns where its value begins; ~position when that is not what stands there. */
  function readKey(from: number): number {
    if (bytes[from] !== Token.quote) return ~from;
    const end = skipString(bytes, from + 1);
    if (end < 0) return end;
    let next = skipSpace(bytes, end);
    if (bytes[next] !== Token.colon) return ~next;
    next = skipSpace(bytes, next + 1);
    incoming = undefined;
    if (depth <= WATCHED) {
      const open = openNode[depth - 1];
      if (open !== undefined) incoming = lookUp(open, bytes, from + 1, end - 1);
      memberNode[depth - 1] = incoming;
      memberStart[depth - 1] = next;
    }
    return next;
  }

  function endMember(end: number): void {
    const slot = memberNode[depth - 1]?.slot;
    memberNode[depth - 1] = undefined;
    if (slot === undefined || slot === null) return;
    if (found[slot] !== undefined) duplicate ??= slot;
    found[slot] = { start: memberStart[depth - 1] as number, end };
  }
}

/** The child of `open` whose name stands in `bytes` between `start` and `end`. */
function lookUp(open: Node, bytes: Buffer, start: number, end: number): Node | undefined {
  if (bytes.subarray(start, end).includes(Token.backslash)) {
    const name = Buffer.from(JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string);
    return open.children.find((child) => child.key.equals(name))?.node;
  }
  const length = end - start;
  for (const { key, node: child } of open.children) {
    if (key.length !== length) continue;
    let k = 0;
    while (k < length && key[k] === bytes[start + k]) k += 1;
    if (k === length) return child;
  }
  return undefined;
}

function toMessage(source: Buffer, whole: Span, found: Found, duplicate: Slot | null): ScanResult {
  const { jsonrpc, id, method, ...spans } = found;
  const text = (span: Span): string => source.toString('utf8', span.start, span.end);
  const idText = id === undefined ? null : text(id);
  const idIsUsable = idText !== null && (idText.startsWith('"') || isNumberStart(idText));
  const invalid = (reason: string): ScanResult => {
    return {
      kind: 'invalid',
      reason,
      id: idIsUsable ? idText : null,
      isRequest: method !== undefined || (spans.result === undefined && spans.error === undefined),
    };
  };

  if (source[whole.start] !== Token.openBrace) return invalid('a message is a JSON object');
  if (duplicate !== null) return invalid(`the member "${duplicate}" stands twice`);
  if (jsonrpc === undefined || text(jsonrpc) !== '"2.0"') return invalid('"jsonrpc" must be "2.0"');

  const parts = { ...oneLine(source, whole, spans), isError: spans.error !== undefined };
  const idSpan = id === undefined ? null : shift(id, whole.start);
  if (method !== undefined) {
    if (source[method.start] !== Token.quote) return invalid('"method" must be a string');
    if (spans.result !== undefined || spans.error !== undefined)
      return invalid('a request carries no result');
    const name = JSON.parse(text(method)) as string;
    if (id === undefined)
      return { kind: 'message', message: { kind: 'notification', id: null, method: name, ...parts } };
    if (!idIsUsable) return invalid('"id" must be a string or a number');
    return { kind: 'message', message: { kind: 'request', id: idSpan, method: name, ...parts } };
  }
  if (id === undefined) return invalid('a message needs "method" or "id"');
  if ((spans.result === undefined) === (spans.error === undefined)) {
    return invalid('it has neither "method" nor exactly one of "result" and "error"');
  }
  if (idIsUsable) return { kind: 'message', message: { kind: 'response', id: idSpan, method: '', ...parts } };
  if (idText === 'null' && spans.error !== undefined) {
    return { kind: 'message', message: { kind: 'response', id: idSpan, method: '', ...parts } };
  }
  return invalid('"id" must be a string or a number');
}

function isNumberStart(text: string): boolean {
  const c = text.charCodeAt(0);
  return c === Token.minus || (c >= Token.zero && c <= Token.nine);
}

function shift(span: Span, by: number): Span {
  return by === 0 ? span : { start: span.start - by, end: span.end - by };
}

/** Cuts the message out of its source; line breaks, which JSON has only between tokens, become spaces. */
function oneLine(source: Buffer, whole: Span, spans: Spans): { bytes: Buffer; spans: Spans } {
  let bytes =
    whole.start === 0 && whole.end === source.length ? source : source.subarray(whole.start, whole.end);
  if (bytes.includes(Token.lineFeed) || bytes.includes(Token.carriageReturn)) {
    bytes = Buffer.from(bytes);
    for (let i = 0; i < bytes.length; i += 1) {
      if (bytes[i] === Token.lineFeed || bytes[i] === Token.carriageReturn) bytes[i] = Token.space;
    }
  }
  if (whole.start === 0) return { bytes, spans };
  const shifted: Spans = {};
  for (const [slot, span] of Object.entries(spans) as [keyof Spans, Span][])
    shifted[slot] = shift(span, whole.start);
  return { bytes, spans: shifted };
}

/** The text of a part of a message, as it is written there. */
export function rawText(message: Envelope, span: Span): string {
  return message.bytes.toString('utf8', span.start, span.end);
}

/** A part that is a JSON string, decoded; undefined where it is absent or of another type. */
export function stringAt(message: Envelope, span: Span | undefined): string | undefined {
  if (span === undefined || message.bytes[span.start] !== Token.quote) return undefined;
  return JSON.parse(rawText(message, span)) as string;
}

/** A map key for an id or token as it is written: `1` and `"1"` differ, `"a"` and `"\u0061"` do not. */
export function idKey(raw: string): string {
  return raw.includes('\\') ? JSON.stringify(JSON.parse(raw)) : raw;
}
