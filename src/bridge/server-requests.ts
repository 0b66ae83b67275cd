// Requests that the service makes of the client. Each goes to the client under an id of the bridge's own, because two
// sessions may use one number, and the client's answer goes back to the session that asked, under the service's id.

import { idKey, type Envelope } from '../protocol/envelope.ts';
import { splice } from '../protocol/splice.ts';
import type { MessageOrigin } from '../upstream/call.ts';

interface Asked {
  readonly origin: MessageOrigin;
  /** The service's id as it is written. */
  readonly id: string;
}

/** A service that asks more than this without waiting for answers is not served further. */
const MAX_OPEN = 1024;

export class ServerRequests {
  readonly #asked = new Map<string, Asked>();
  #nextId = 1;

  /** The request as the client gets it; undefined when too many wait. */
  open(request: Envelope, origin: MessageOrigin): Buffer | undefined {
    if (this.#asked.size >= MAX_OPEN) this.#forgetOver();
    if (request.id === null || this.#asked.size >= MAX_OPEN) return undefined;
    const key = String(this.#nextId);
    this.#nextId += 1;
    this.#asked.set(key, { origin, id: request.text(request.id) });
    return splice(request, [{ span: request.id, text: key }]);
  }

  #forgetOver(): void {
    for (const [key, { origin }] of this.#asked) if (origin.isOver) this.#asked.delete(key);
  }

  /** Sends the client's answer to the session that asked. False when nobody waits for it. */
  answer(response: Envelope): boolean {
    if (response.id === null) return false;
    const key = response.text(response.id);
    const asked = this.#asked.get(key);
    if (asked === undefined) return false;
    this.#asked.delete(key);
    if (asked.origin.isOver) return false;
    void asked.origin.send(splice(response, [{ span: response.id, text: asked.id }]));
    return true;
  }

  /** The service's notifications/cancelled under the client's id; undefined when there is nothing to cancel. */
  cancel(notification: Envelope, origin: MessageOrigin): Buffer | undefined {
    const span = notification.spans.requestId;
    if (span === undefined) return undefined;
    const id = idKey(notification.text(span));
    for (const [key, asked] of this.#asked) {
      if (asked.origin !== origin || idKey(asked.id) !== id) continue;
      this.#asked.delete(key);
      return splice(notification, [{ span, text: key }]);
    }
    return undefined;
  }
}
