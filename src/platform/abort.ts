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
  /** Most have one listener at a time. */
  #listener: (() => void) | undefined;
  #others: (() => void)[] | undefined;

  get signal(): Signal {
    return this;
  }

  /** The first reason counts; later ones change nothing. */
  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listener = this.#listener;
    const others = this.#others;
    this.#listener = undefined;
    this.#others = undefined;
    listener?.();
    for (const other of others ?? []) other();
  }

  /** A listener is called once at most, and not at all when all is over already. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.aborted) return;
    if (this.#listener === undefined && this.#others === undefined) this.#listener = listener;
    else (this.#others ??= []).push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
    else {
      const at = this.#others?.indexOf(listener) ?? -1;
      if (at >= 0) this.#others?.splice(at, 1);
    }
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
