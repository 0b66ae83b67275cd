// Aborting, as the path of every request needs it. Node's AbortController does the same through the machinery of DOM events,
// which costs a request more than all that is read of its message.

/** What the program asks of an AbortSignal; one of Node's can always stand in. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Controller and signal in one. */
export class Abort implements Signal {
  aborted = false;
  reason: unknown = undefined;
  #listeners: (() => void)[] = [];

  get signal(): Signal {
    return this;
  }

  /** The first reason counts; later ones change nothing. */
  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  /** A listener is called once at most, and not at all when all is over already. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }
}

/** One of Node's own, for where several are joined by AbortSignal.any. */
export function abortSignalOf(signal: Signal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  if (signal.aborted) return AbortSignal.abort(signal.reason);
  const controller = new AbortController();
  signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}
