// The client's requests that wait for an answer. A request leaves this table once, and only what takes it out may answer it:
// that is what "exactly one reply" rests on.

import { Abort, type Signal } from '../platform/abort.ts';
import type { Timer } from '../platform/clock.ts';
import { idKey, rawText, type Envelope } from '../protocol/envelope.ts';
import type { Withdrawal } from '../upstream/call.ts';
import type { Line } from './line-writer.ts';

/** Takes the one reply to a message; undefined where it gets none. */
export type ReplyTo = (line: Line | undefined) => void;

export interface PendingRequest {
  readonly key: string;
  /** The client's id as it is written. */
  readonly id: string;
  readonly message: Envelope;
  readonly openedAt: number;
  /** Aborts when the request is withdrawn; the reason is a Withdrawal. */
  readonly signal: Signal;
  /** Takes the one reply; for a batch that is not the output directly. */
  readonly reply: ReplyTo;
  withdraw(reason: Withdrawal): void;
  deadline: Timer | undefined;
  /** Clock.now() when the deadline passes. */
  expiresAt: number;
  /** Of the last try. */
  route: 'session' | 'per-request' | undefined;
}

export class PendingTable {
  readonly #byKey = new Map<string, PendingRequest>();
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
    const id = message.id === null ? 'null' : rawText(message, message.id);
    const key = idKey(id);
    if (this.#byKey.has(key)) return undefined;
    const controller = new Abort();
    const withdraw = (reason: Withdrawal): void => controller.abort(reason);
    const pending: PendingRequest = {
      key,
      id,
      message,
      openedAt: now,
      signal: controller.signal,
      reply,
      withdraw,
      deadline: undefined,
      expiresAt: Number.POSITIVE_INFINITY,
      route: undefined,
    };
    this.#byKey.set(key, pending);
    this.#bytes += message.bytes.length;
    return pending;
  }

  /** @param id a request id as it is written */
  find(id: string): PendingRequest | undefined {
    return this.#byKey.get(idKey(id));
  }

  /** True for the one caller that takes the request out; it owes the client the reply, or silence if it was cancelled. */
  settle(pending: PendingRequest): boolean {
    if (this.#byKey.get(pending.key) !== pending) return false;
    this.#byKey.delete(pending.key);
    this.#bytes -= pending.message.bytes.length;
    pending.deadline?.cancel();
    return true;
  }

  all(): PendingRequest[] {
    return [...this.#byKey.values()];
  }
}
