// A client's end for what a shared session says outside of calls. While a client is behind with reading, the service's stream
// is held back for all who share it, but not for long: then the others go on, and of what comes meanwhile the client gets the
// latest of each kind once it reads again.

import { sleep, type Clock } from '../platform/clock.ts';
import { stringAt, type Envelope } from '../protocol/envelope.ts';
import type { ClientSink, MessageOrigin } from '../upstream/call.ts';

/** How long one client's slowness may hold up the others, in milliseconds. */
const PATIENCE_MS = 1000;
const MAX_HELD = 256;

interface Held {
  readonly message: Envelope;
  readonly origin: MessageOrigin;
}

export class Outlet {
  readonly #sink: ClientSink;
  readonly #clock: Clock;
  #waiting: Promise<void> | undefined;
  /** What a client is to hear when it reads again; undefined while it keeps up. */
  #held: Map<string, Held> | undefined;

  constructor(sink: ClientSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  get isHeldUp(): boolean {
    return this.#held !== undefined;
  }

  /** A promise while the client is behind with reading and worth waiting for. */
  ready(): Promise<void> | undefined {
    if (this.#held !== undefined) return undefined;
    const behind = this.#sink.ready();
    if (behind !== undefined) this.#waiting ??= this.#wait(behind);
    return this.#waiting;
  }

  /** False where the message is dropped. */
  deliver(message: Envelope, origin: MessageOrigin): boolean {
    if (this.#held === undefined) {
      this.#sink.deliver(message, origin);
      return true;
    }
    // Log messages and questions are of their moment; what has changed stays true.
    if (message.kind === 'request' || message.method === 'notifications/message') return false;
    const key = `${message.method} ${stringAt(message, message.spans.uri) ?? ''}`;
    if (!this.#held.has(key) && this.#held.size >= MAX_HELD) return false;
    this.#held.set(key, { message, origin });
    return true;
  }

  async #wait(behind: Promise<void>): Promise<void> {
    const caughtUp = new AbortController();
    void behind.then(() => caughtUp.abort());
    const isTooLong = await sleep(this.#clock, PATIENCE_MS, caughtUp.signal);
    this.#waiting = undefined;
    if (!isTooLong) return;
    this.#held = new Map();
    void behind.then(() => this.#catchUp());
  }

  #catchUp(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const { message, origin } of held?.values() ?? []) this.#sink.deliver(message, origin);
  }
}
