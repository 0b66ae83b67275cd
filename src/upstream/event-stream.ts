// Server-sent events over bytes. The parser works on text; it is fed one character a byte (Latin-1), so that UTF-8 may be
// cut anywhere between chunks and comes out as the same bytes.

import { createParser } from 'eventsource-parser';

export interface ServerSentEvent {
  /** Empty for the default type. */
  readonly type: string;
  readonly data: Buffer;
}

export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

export class EventStream {
  /** The id of the last event that had one, as the service wrote it; for Last-Event-ID. */
  lastEventId: string | undefined;
  /** The wait before a reconnect that the service asked for, in milliseconds. */
  retryMs: number | undefined;
  #held: Promise<void> | undefined;
  readonly #parser;

  /**
   * @param maxEventBytes what an event, or a line that has not ended, may hold
   * @param onEvent a returned promise means that the taker is behind
   */
  constructor(maxEventBytes: number, onEvent: (event: ServerSentEvent) => void | Promise<void>) {
    this.#parser = createParser({
      maxBufferSize: maxEventBytes,
      onId: (id) => {
        this.lastEventId = id === '' ? undefined : Buffer.from(id, 'latin1').toString('utf8');
      },
      onRetry: (retryMs) => {
        this.retryMs = retryMs;
      },
      onEvent: (event) => {
        const held = onEvent({ type: event.event ?? '', data: Buffer.from(event.data, 'latin1') });
        if (held !== undefined)
          this.#held = this.#held === undefined ? held : Promise.all([this.#held, held]).then(() => {});
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') {
          throw new EventTooLargeError(`an event is larger than ${maxEventBytes} bytes`);
        }
      },
    });
  }

  /**
   * Takes the next bytes. A returned promise resolves when the taker of events has caught up.
   * @throws EventTooLargeError
   */
  feed(chunk: Buffer): void | Promise<void> {
    this.#parser.feed(chunk.toString('latin1'));
    const held = this.#held;
    this.#held = undefined;
    return held;
  }
}
