// Checks one JSON value over bytes and notes where the members of a JSON-RPC message lie that matter to a bridge. Accepts
// exactly what JSON.parse accepts (for bytes that are valid UTF-8), and needs no stack however deep a value nests.

import { skipString, skipScalar, skipSpace, Token } from './json-scan.ts';
import { OMITTED } from './long-text.ts';

/** Where a value lies in the message's bytes: from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
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

/** The members that are looked for, as a tree; `slot` names the place in the result. */
interface Node {
  readonly slot: Slot | null;
  readonly children: readonly { readonly key: Buffer; readonly node: Node }[];
}
type OuterSlot = 'jsonrpc' | 'id' | 'method';
export type Slot = keyof Spans | OuterSlot;

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

/** Apart, because a message keeps its spans and not the rest. */
export interface Found {
  readonly outer: Partial<Record<OuterSlot, Span>>;
  readonly spans: Spans;
}

/** Why bytes are not JSON, and where that shows. */
export interface ScanFailure {
  readonly reason: string;
  readonly at: number;
}

export interface ValueScan {
  readonly end: number;
  /** A wanted member that stands twice, which parsers would read differently. */
  readonly duplicate: Slot | null;
}

/** What an open container is. */
const IN_ARRAY = 0;
const IN_OBJECT = 1;
/** Levels in which members are looked for. */
const WATCHED = 3;
/** A deeper message needs more for its own scan; that is not kept. */
const KEPT_LEVELS = 256;

// Notes of the scan under way. Scanning is synchronous and never calls itself, so one set serves every scan, and none
// allocates.
/** What each open container is, a byte each: no call stack is needed however deep a value nests. */
let containers = new Uint8Array(KEPT_LEVELS);
/** For the first levels: the node of the open container, and of the member being read in it, with where it began. */
const openNode: (Node | undefined)[] = [undefined, undefined, undefined];
const memberNode: (Node | undefined)[] = [undefined, undefined, undefined];
const memberStart: number[] = [0, 0, 0];
let depth = 0;
let incoming: Node | undefined;
let duplicate: Slot | null = null;

/** Checks the value at `at` and fills `found` from its members. */
export function scanValue(bytes: Buffer, at: number, found: Found): ValueScan | ScanFailure {
  if (containers.length > KEPT_LEVELS) containers = new Uint8Array(KEPT_LEVELS);
  depth = 0;
  duplicate = null;
  incoming = MEMBERS;
  let i = at;
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
        i = readKey(bytes, i);
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
      if (inObject && depth <= WATCHED) endMember(found, i);
      i = skipSpace(bytes, i);
      const d = bytes[i];
      if (d === Token.comma) {
        i = skipSpace(bytes, i + 1);
        if (inObject) {
          i = readKey(bytes, i);
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
}

/** Reads `"name" :` and returns where its value begins; ~position when that is not what stands there. */
function readKey(bytes: Buffer, from: number): number {
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

function endMember(found: Found, end: number): void {
  const slot = memberNode[depth - 1]?.slot;
  memberNode[depth - 1] = undefined;
  if (slot === undefined || slot === null) return;
  const span: Span = { start: memberStart[depth - 1] as number, end };
  if (slot === 'jsonrpc' || slot === 'id' || slot === 'method') {
    if (found.outer[slot] !== undefined) duplicate ??= slot;
    found.outer[slot] = span;
  } else {
    if (found.spans[slot] !== undefined) duplicate ??= slot;
    found.spans[slot] = span;
  }
}

/** The child of `open` whose name stands in `bytes` between `start` and `end`. */
function lookUp(open: Node, bytes: Buffer, start: number, end: number): Node | undefined {
  const length = end - start;
  let isEscaped = false;
  for (let i = start; i < end; i += 1) {
    // Far too long.
    if (bytes[i] === OMITTED) return undefined;
    if (bytes[i] === Token.backslash) isEscaped = true;
  }
  if (isEscaped) {
    const name = Buffer.from(JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string);
    return open.children.find((child) => child.key.equals(name))?.node;
  }
  for (const { key, node: child } of open.children) {
    if (key.length !== length) continue;
    let k = 0;
    while (k < length && key[k] === bytes[start + k]) k += 1;
    if (k === length) return child;
  }
  return undefined;
}
