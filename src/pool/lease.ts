// What one client's conversation holds of the pool: a share in a session, or the way without one, and later the other. It
// knows what of the client's is under way, and withdraws just that when the client goes.

import { Abort, type Signal } from '../platform/abort.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import type { Route } from '../policy/route.ts';
import type { Question } from '../upstream/call.ts';
import type { ServiceSession } from '../upstream/service-session.ts';

const SHUTDOWN: Connectivity = { kind: 'SHUTDOWN' };
const ENDED = { code: 'ERR_BRIDGE_SHUTDOWN', message: 'The bridge is stopping.' } as const;

export class Lease implements ServiceSession {
  #service: ServiceSession;
  readonly #onClose: () => void;
  readonly #isOver = new Abort();
  readonly #calls = new Set<Abort>();
  /** Those who wait for a change of state; a change of the service under the lease is one. */
  readonly #waits = new Set<Abort>();

  constructor(service: ServiceSession, onClose: () => void) {
    this.#service = service;
    this.#onClose = onClose;
  }

  /** From now on requests go there; what is under way ends where it began. */
  move(service: ServiceSession): void {
    this.#service = service;
    for (const wait of [...this.#waits]) wait.abort();
  }

  get state(): Connectivity {
    return this.#isOver.aborted ? SHUTDOWN : this.#service.state;
  }

  get budget(): ServiceSession['budget'] {
    return this.#service.budget;
  }

  route(openedAt: number): Route {
    return this.#isOver.aborted ? { kind: 'fail', failure: ENDED } : this.#service.route(openedAt);
  }

  async awaitChange(signal: Signal): Promise<void> {
    if (this.#isOver.aborted) return;
    const wait = new Abort();
    const stop = follow(signal, wait, this.#waits);
    await this.#service.awaitChange(wait);
    stop();
  }

  want(): void {
    if (!this.#isOver.aborted) this.#service.want();
  }

  call(question: Question, signal: Signal): Promise<AttemptOutcome> {
    const own = new Abort();
    const stop = follow(signal, own, this.#calls);
    return this.#untilOver(this.#service.call(question, own), signal, stop);
  }

  callPerRequest(question: Question, signal: Signal): Promise<AttemptOutcome> {
    const own = new Abort();
    const stop = follow(signal, own, this.#calls);
    return this.#untilOver(this.#service.callPerRequest(question, own), signal, stop);
  }

  notify(body: Buffer, signal: AbortSignal): Promise<void> {
    return this.#isOver.aborted ? Promise.resolve() : this.#service.notify(body, signal);
  }

  checkNow(reason: string): void {
    if (!this.#isOver.aborted) this.#service.checkNow(reason);
  }

  /** Withdraws what is under way, and gives back the share. */
  async close(signal: AbortSignal): Promise<void> {
    if (this.#isOver.aborted) return;
    this.#isOver.abort();
    for (const call of [...this.#calls]) call.abort({ kind: 'shutdown' });
    for (const wait of [...this.#waits]) wait.abort();
    const closed = this.#service.close(signal);
    this.#onClose();
    await closed;
  }

  /** Who has not withdrawn a call must not be told that it was; the lease has ended under it. */
  #untilOver(called: Promise<AttemptOutcome>, signal: Signal, stop: () => void): Promise<AttemptOutcome> {
    return called.then((outcome) => {
      stop();
      if (outcome.kind !== 'aborted' || signal.aborted) return outcome;
      return { kind: 'failed', progress: outcome.progress, failure: ENDED };
    });
  }
}

/** Aborts `own` when `signal` does, and lists it meanwhile. Returns what ends both. */
function follow(signal: Signal, own: Abort, list: Set<Abort>): () => void {
  if (signal.aborted) own.abort(signal.reason);
  const abort = (): void => own.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  list.add(own);
  return () => {
    list.delete(own);
    signal.removeEventListener('abort', abort);
  };
}
