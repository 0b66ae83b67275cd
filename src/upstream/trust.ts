// Keeps account of whether the persistent session is worth using, and has it tried again when its time has come. The rule is
// `policy/breaker`.

import type { Clock, Timer } from '../platform/clock.ts';
import type { FailedAttempt } from '../policy/attempt.ts';
import { BREAKER, CLOSED, onHeld, onLoss, onTick, type Breaker } from '../policy/breaker.ts';
import type { Observer } from '../observe/events.ts';
import type { ErrorCode } from '../protocol/errors.ts';

/** Failures that say nothing against sessions: the service is away, or busy, or wants something else of us. */
const NOT_THE_SESSION: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_UPSTREAM_UNREACHABLE',
  'ERR_UPSTREAM_BUSY',
  'ERR_UPSTREAM_TLS',
  'ERR_UPSTREAM_CLIENT_CERT',
  'ERR_PROXY_UNREACHABLE',
  'ERR_PROXY_AUTH',
  'ERR_PROXY_REFUSED',
  'ERR_NETWORK_FILE',
  'ERR_AUTH_REQUIRED',
  'ERR_AUTH_FORBIDDEN',
  'ERR_AUTH_SCOPE',
  'ERR_AUTH_UNREACHABLE',
  'ERR_KEYCHAIN_LOCKED',
  'ERR_KEYCHAIN_MISSING',
  'ERR_KEYCHAIN_TIMEOUT',
  'ERR_KEYCHAIN_FAILED',
  'ERR_STORE_FAILED',
]);

export class SessionTrust {
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #onTrial: () => void;
  #breaker: Breaker = CLOSED;
  #trial: Timer | undefined;
  #isHeld = false;

  /** @param onTrial called when a session should be tried again */
  constructor(clock: Clock, observer: Observer, onTrial: () => void) {
    this.#clock = clock;
    this.#observer = observer;
    this.#onTrial = onTrial;
  }

  get breaker(): Breaker {
    // A trial runs while there is a session to be tried, not before.
    if (this.#breaker.kind !== 'half-open' || this.#isHeld)
      this.#breaker = onTick(this.#breaker, this.#clock.now(), BREAKER);
    return this.#breaker;
  }

  /** There is a session now. */
  held(): void {
    this.#isHeld = true;
    this.#breaker = onHeld(this.#breaker, this.#clock.now());
  }

  /** A session was lost or could not be made. True when sessions are no longer to be used for now. */
  lost(failed: FailedAttempt): boolean {
    const before = this.breaker;
    if (NOT_THE_SESSION.has(failed.failure.code)) return before.kind === 'open';
    this.#isHeld = false;
    this.#breaker = onLoss(before, this.#clock.now(), BREAKER);
    if (this.#breaker.kind !== 'open') return false;
    if (before.kind !== 'open') this.#open(this.#breaker.trialAt, failed.failure.message);
    return true;
  }

  stop(): void {
    this.#trial?.cancel();
  }

  #open(trialAt: number, reason: string): void {
    this.#observer({ type: 'session.route', route: 'per-request', reason });
    this.#trial?.cancel();
    this.#trial = this.#clock.after(trialAt - this.#clock.now(), () => {
      this.#breaker = onTick(this.#breaker, this.#clock.now(), BREAKER);
      this.#observer({ type: 'session.route', route: 'session', reason: 'a session is tried again' });
      this.#onTrial();
    });
  }
}
