// The client's requests that wait for their replies: which daemon has each, and what becomes of it when that daemon is gone. A
// request leaves the ledger once; that is what "exactly one reply" rests on when daemons come and go.

import { ToolCatalog } from '../bridge/tool-catalog.ts';
import { outcomeUnknown } from '../policy/classify.ts';
import { replaySafety } from '../policy/replay-safety.ts';
import { idKey, scanEnvelope, type Envelope } from '../protocol/envelope.ts';
import type { Failure } from '../protocol/errors.ts';
import { joined, keyOf, sizeOf } from './glance.ts';
import type { LinePieces } from './line-splitter.ts';

/** What one front keeps of lines that it may have to send again, in bytes; a request past that ends with its daemon. */
const KEEP_MAX_BYTES = 64 * 1024 * 1024;
/** Shorter pieces are copied, because each holds on to the whole chunk that it came in. */
const COPY_BELOW_BYTES = 32 * 1024;
/** How often one request is handed to another daemon. One that no daemon survives must not end them all. */
const MAX_MOVES = 3;
/** Pages of tools/list that are kept. */
const MAX_LIST_BYTES = 8 * 1024 * 1024;
/** What the bridge says, without an id, to a whole line. */
const LINE_REFUSAL = /"code":"ERR_CLIENT_(BATCH_UNSUPPORTED|LINE_TOO_LONG|NOT_JSON)"/;

export interface Entry<L> {
  readonly key: string;
  /** Empty for a batch and for a line that is no request. */
  readonly method: string;
  /** The keys of the requests in a batch that have not been cancelled; never empty. */
  batch: readonly string[] | undefined;
  /** The line, for sending it again; undefined where too much is kept already. */
  line: LinePieces | undefined;
  /** Who has it; undefined while it waits for somebody. */
  holder: L | undefined;
  moves: number;
  /** When the client asked, by the relay's clock. */
  readonly askedAt: number | undefined;
  /** The front's own: the reply is not the client's. */
  readonly isOwn: boolean;
}

/** What is known of a line that wants a reply. */
export type Asked = Pick<Entry<never>, 'key' | 'method'> & {
  readonly isOwn?: boolean;
  readonly batch?: readonly string[] | undefined;
};

export type Recovery =
  | { readonly kind: 'resend' }
  /** One error for each request of the line, by their ids as written. */
  | {
      readonly kind: 'fail';
      readonly failures: readonly { readonly id: string; readonly failure: Failure }[];
    };

export class Ledger<L> {
  readonly #entries = new Map<string, Entry<L>>();
  #batches = 0;
  #keptBytes = 0;
  /** tools/list answers, read only when they are needed. */
  #lists: Buffer[] = [];
  #listBytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  find(key: string): Entry<L> | undefined {
    return this.#entries.get(key);
  }

  /** The batch with this request in it. */
  batchWith(key: string): Entry<L> | undefined {
    return this.#batches === 0 ? undefined : this.all().find(({ batch }) => batch?.includes(key));
  }

  all(): Entry<L>[] {
    return [...this.#entries.values()];
  }

  heldBy(holder: L): Entry<L>[] {
    return this.all().filter((entry) => entry.holder === holder);
  }

  isHolding(holder: L): boolean {
    for (const entry of this.#entries.values()) if (entry.holder === holder) return true;
    return false;
  }

  /**
   * Undefined, and nothing noted, where one waits under the same key.
   * @param askedAt when the client asked, by the relay's clock; undefined for what is the front's own
   */
  open(request: Asked, line: LinePieces, askedAt?: number): Entry<L> | undefined {
    if (this.#entries.has(request.key)) return undefined;
    const size = sizeOf(line);
    const isKept = this.#keptBytes + size <= KEEP_MAX_BYTES;
    if (isKept) this.#keptBytes += size;
    const entry: Entry<L> = {
      key: request.key,
      method: request.method,
      batch: request.batch,
      line: isKept ? (size < COPY_BELOW_BYTES ? [Buffer.concat(line)] : line) : undefined,
      holder: undefined,
      moves: 0,
      askedAt,
      isOwn: request.isOwn ?? false,
    };
    this.#entries.set(entry.key, entry);
    if (entry.batch !== undefined) this.#batches += 1;
    return entry;
  }

  /** The reply has come. Undefined where nobody waits for it. */
  settle(key: string, line: LinePieces): Entry<L> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.remove(entry);
    if (entry.method === 'tools/list') this.#noteList(entry, line);
    return entry;
  }

  /** The reply to a batch has come: the one with any of these keys in it. */
  settleBatch(keys: readonly string[]): void {
    if (this.#batches === 0) return;
    for (const entry of this.#entries.values()) {
      if (!entry.batch?.some((key) => keys.includes(key))) continue;
      this.remove(entry);
      return;
    }
  }

  /**
   * An error without an id has come from this holder. Most are for lines that are not in here; but a batch may be refused as a whole, and a
   * request that was read at a glance may be no JSON.
   */
  settleRefused(holder: L, error: LinePieces): void {
    const code = LINE_REFUSAL.exec(joined(error).toString('latin1'))?.[1];
    if (code === undefined) return;
    const isRefused = code === 'NOT_JSON' ? isNotJson : isBatch;
    for (const entry of this.#entries.values()) {
      if (entry.holder !== holder || !isRefused(entry)) continue;
      this.remove(entry);
      return;
    }
  }

  /** This request is cancelled. False where it is one of a batch of which more is left. */
  withdraw(entry: Entry<L>, key: string): boolean {
    const rest = entry.batch?.filter((each) => each !== key) ?? [];
    if (rest.length > 0) entry.batch = rest;
    else this.remove(entry);
    return rest.length === 0;
  }

  remove(entry: Entry<L>): void {
    if (!this.#entries.delete(entry.key)) return;
    if (entry.line !== undefined) this.#keptBytes -= sizeOf(entry.line);
    if (entry.batch !== undefined) this.#batches -= 1;
  }

  /** The service says that its tools have changed: what was learnt no longer counts. */
  forgetTools(): void {
    this.#lists = [];
    this.#listBytes = 0;
  }

  /** What becomes of these, whose holder is gone after they were sent to it. */
  recover(entries: readonly Entry<L>[]): Recovery[] {
    const catalog = this.#catalog();
    return entries.map((entry) => recovery(entry, catalog));
  }

  #noteList(entry: Entry<L>, line: LinePieces): void {
    if (entry.line !== undefined && !joined(entry.line).includes('"cursor"')) this.forgetTools();
    this.#listBytes += sizeOf(line);
    if (this.#listBytes <= MAX_LIST_BYTES) this.#lists.push(Buffer.concat(line));
  }

  #catalog(): ToolCatalog {
    const catalog = new ToolCatalog();
    for (const [n, list] of this.#lists.entries()) {
      const scan = scanEnvelope(list);
      if (scan.kind !== 'message' || scan.message.spans.result === undefined) continue;
      catalog.learn(scan.message.text(scan.message.spans.result), n === 0);
    }
    return catalog;
  }
}

const GONE = "The bridge's background process ended before the answer came.";

function recovery(entry: Entry<unknown>, catalog: ToolCatalog): Recovery {
  const requests = entry.line === undefined ? undefined : requestsIn(joined(entry.line));
  const isSafe =
    requests !== undefined &&
    requests.every((request) => replaySafety(request.method, catalog.annotationsFor(request)) === 'safe');
  if (isSafe && entry.moves < MAX_MOVES) return { kind: 'resend' };
  const lost: Failure = { code: 'ERR_BRIDGE_SHUTDOWN', message: GONE };
  const mayHaveRun = entry.batch !== undefined || (entry.method === 'tools/call' && !isSafe);
  const failure = mayHaveRun ? outcomeUnknown(lost) : lost;
  const ids = entry.batch ?? [entry.key];
  return { kind: 'fail', failures: ids.map((id) => ({ id, failure })) };
}

function isBatch({ batch }: Entry<unknown>): boolean {
  return batch !== undefined;
}

function isNotJson({ line }: Entry<unknown>): boolean {
  return line !== undefined && scanEnvelope(joined(line)).kind === 'not-json';
}

/** Empty for a line that is no request; that one may always be sent again, because only the bridge looks at it. */
function requestsIn(line: Buffer): Envelope[] {
  const scan = scanEnvelope(line);
  const scans = scan.kind === 'batch' ? scan.elements : [scan];
  return scans.flatMap((each) =>
    each.kind === 'message' && each.message.kind === 'request' ? [each.message] : [],
  );
}

/** The keys of the answers in a batch's reply, and of the requests that they answer. */
export function keysIn(line: LinePieces): string[] {
  const scan = scanEnvelope(joined(line));
  if (scan.kind !== 'batch') return [];
  return scan.elements.flatMap((element) => {
    if (element.kind === 'message') return [keyOf(element.message)];
    return element.kind === 'invalid' && element.id !== null ? [idKey(element.id)] : [];
  });
}
