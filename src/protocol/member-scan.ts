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
  readonly params?: Span | undefined;
  readonly result?: Span | undefined;
  readonly error?: Span | undefined;
  readonly name?: Span | undefined;
  readonly uri?: Span | undefined;
  readonly level?: Span | undefined;
  readonly task?: Span | undefined;
  readonly requestId?: Span | undefined;
  /** `params.progressToken`, as in notifications/progress. */
  readonly progressToken?: Span | undefined;
  /** `params._meta.progressToken`, as in requests that ask for progress. */
  readonly metaProgressToken?: Span | undefined;
}

/** What is looked for, each with a number of its own. */
const SLOTS = {
  jsonrpc: 0,
  id: 1,
  method: 2,
  result: 3,
  error: 4,
  params: 5,
  name: 6,
  uri: 7,
  level: 8,
  task: 9,
  requestId: 10,
  progressToken: 11,
  metaProgressToken: 12,
} as const;
export type Slot = keyof typeof SLOTS;
const SLOT_NAMES = Object.keys(SLOTS) as Slot[];
const NO_SLOT = -1;

/** The members that are looked for, as a tree; `slot` names the place in the result. */
interface Node {
  readonly slot: number;
  readonly children: readonly { readonly key: Buffer; readonly node: Node }[];
}

function node(slot: Slot | null, children: Record<string, Node> = {}): Node {
  return {
    slot: slot === null ? NO_SLOT : SLOTS[slot],
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
const NOT_FOUND = -1;

// Notes of the scan under way. Scanning is synchronous and never calls itself, so one set serves every scan, and none
// allocates.
/** What each open container is, a byte each: no call stack is needed however deep a value nests. */
let containers = new Uint8Array(KEPT_LEVELS);
/** For the first levels: the node of the open container, and of the member being read in it, with where it began. */
const openNode: (Node | undefined)[] = [undefined, undefined, undefined];
const memberNode: (Node | undefined)[] = [undefined, undefined, undefined];
const memberStart: number[] = [0, 0, 0];
/** Where what stands in each slot begins, and where it ends; NOT_FOUND where nothing does. */
const starts: number[] = SLOT_NAMES.map(() => NOT_FOUND);
const ends: number[] = SLOT_NAMES.map(() => NOT_FOUND);
let depth = 0;
let incoming: Node | undefined;
let duplicate: Slot | null = null;

/** Checks the value at `at`, and notes where its members lie; `spanOf` and `spansFound` tell until the next one is checked. */
export function scanValue(bytes: Buffer, at: number): ValueScan | ScanFailure {
  if (containers.length > KEPT_LEVELS) containers = new Uint8Array(KEPT_LEVELS);
  depth = 0;
  duplicate = null;
  incoming = MEMBERS;
  for (let slot = 0; slot < starts.length; slot += 1) starts[slot] = NOT_FOUND;
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
      if (inObject && depth <= WATCHED) endMember(i);
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

function endMember(end: number): void {
  const slot = memberNode[depth - 1]?.slot ?? NO_SLOT;
  memberNode[depth - 1] = undefined;
  if (slot === NO_SLOT) return;
  if (starts[slot] !== NOT_FOUND) duplicate ??= SLOT_NAMES[slot] as Slot;
  starts[slot] = memberStart[depth - 1] as number;
  ends[slot] = end;
}

/** Where a member of the last value lies, counted from `origin`. */
export function spanOf(slot: Slot, origin: number): Span | undefined {
  return spanAt(SLOTS[slot], origin);
}

/** The same for all that a message keeps. */
export function spansFound(origin: number): Spans {
  return {
    result: spanAt(SLOTS.result, origin),
    error: spanAt(SLOTS.error, origin),
    params: spanAt(SLOTS.params, origin),
    name: spanAt(SLOTS.name, origin),
    uri: spanAt(SLOTS.uri, origin),
    level: spanAt(SLOTS.level, origin),
    task: spanAt(SLOTS.task, origin),
    requestId: spanAt(SLOTS.requestId, origin),
    progressToken: spanAt(SLOTS.progressToken, origin),
    metaProgressToken: spanAt(SLOTS.metaProgressToken, origin),
  };
}

function spanAt(slot: number, origin: number): Span | undefined {
  const start = starts[slot] as number;
  return start === NOT_FOUND ? undefined : { start: start - origin, end: (ends[slot] as number) - origin };
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
