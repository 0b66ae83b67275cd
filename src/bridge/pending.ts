// The client's requests that wait for an answer. A request leaves this table once, and only what takes it out may answer it:
// that is what "exactly one reply" rests on.

import { Abort } from '../platform/abort.ts';
import { idKey, type Content, type Envelope } from '../protocol/envelope.ts';
import type { Withdrawal } from '../upstream/call.ts';

/** Takes the one reply to a message; undefined where it gets none. */
export type ReplyTo = (line: Content | undefined) => void;

/** Aborts when the request is withdrawn; the reason is a Withdrawal. */
export class PendingRequest extends Abort {
  readonly key: number | string;
  /** The client's id as it is written. */
  readonly writtenId: number | string;
  readonly message: Envelope;
  readonly openedAt: number;
  /** Takes the one reply; for a batch that is not the output directly. */
  readonly reply: ReplyTo;
  /** Clock.now() when the deadline passes; see Deadlines. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** Of the last try. */
  route: 'session' | 'per-request' | undefined;

  constructor(
    key: number | string,
    id: number | string,
    message: Envelope,
    openedAt: number,
    reply: ReplyTo,
  ) {
    super();
    this.key = key;
    this.writtenId = id;
    this.message = message;
    this.openedAt = openedAt;
    this.reply = reply;
  }

  get id(): string {
    return String(this.writtenId);
  }

  withdraw(reason: Withdrawal): void {
    this.abort(reason);
  }
}

export class PendingTable {
  readonly #byKey = new Map<number | string, PendingRequest>();
  #bytes = 0;

  /** Bytes of the requests that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Undefined when a request with this id waits already. */
  open(message: Envelope, now: number, reply: ReplyTo): PendingRequest | undefined {
    const id = message.id === null ? 'null' : message.written(message.id);
    const key = keyOf(id);
    if (this.#byKey.has(key)) return undefined;
    const pending = new PendingRequest(key, id, message, now, reply);
    this.#byKey.set(key, pending);
    this.#bytes += message.byteLength;
    return pending;
  }

  /** @param id as Envelope.written gives it */
  find(id: number | string): PendingRequest | undefined {
    return this.#byKey.get(keyOf(id));
  }

  /** True for the one caller that takes the request out; it owes the client the reply, or silence if it was cancelled. */
  settle(pending: PendingRequest): boolean {
    if (this.#byKey.get(pending.key) !== pending) return false;
    this.#byKey.delete(pending.key);
    this.#bytes -= pending.message.byteLength;
    return true;
  }

  all(): PendingRequest[] {
    return [...this.#byKey.values()];
  }
}

function keyOf(id: number | string): number | string {
  return typeof id === 'number' ? id : idKey(id);
}
