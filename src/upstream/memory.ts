// What a client has set at the service and a new session would not know: the log level and the resource subscriptions.
// Remembered as the requests that set them, and sent again after each new handshake.

import { stringAt, type Envelope } from '../protocol/envelope.ts';

/** A client that subscribes to more is asked to do so again after a reconnect by `list_changed` only. */
const MAX_SUBSCRIPTIONS = 4096;

export class SessionMemory {
  #logLevel: Envelope | undefined;
  readonly #subscriptions = new Map<string, Envelope>();

  get hasSubscriptions(): boolean {
    return this.#subscriptions.size > 0;
  }

  /** Takes note of a request that the service has answered without an error. */
  note(request: Envelope): void {
    const uri = stringAt(request, request.spans.uri);
    switch (request.method) {
      case 'logging/setLevel':
        this.#logLevel = request;
        return;
      case 'resources/subscribe':
        if (uri !== undefined && this.#subscriptions.size < MAX_SUBSCRIPTIONS)
          this.#subscriptions.set(uri, request);
        return;
      case 'resources/unsubscribe':
        if (uri !== undefined) this.#subscriptions.delete(uri);
    }
  }

  /** The requests that bring a new session to where the old one was. */
  toRestore(): Envelope[] {
    return [...(this.#logLevel === undefined ? [] : [this.#logLevel]), ...this.#subscriptions.values()];
  }
}
