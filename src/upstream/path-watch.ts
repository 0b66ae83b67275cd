// Watches the calls of a session for silence. When one is suspiciously silent, asks the service on a connection of its own:
// if it answers there, replay-safe calls that are still silent are asked once more on new connections, and what still waits for
// a connection gets one of those; if it does not, the path to the service is down, and the session is told. On a session that is
// over nothing is asked: replay-safe calls that are silent there are given up, and so tried on the next one.

import type { Clock } from '../platform/clock.ts';
import type { FailedAttempt } from '../policy/attempt.ts';
import type { Observer } from '../observe/events.ts';
import type { RetryBudget } from '../policy/retry-budget.ts';
import { isSuspicious, SILENCE } from '../policy/silence.ts';
import type { Call } from './call.ts';
import type { LiveSession } from './live-session.ts';
import { checkHealth, probe } from './probe.ts';
import { LOST } from './response-verdict.ts';

const TICK_MS = 250;

export interface PathWatchOptions {
  readonly live: LiveSession;
  readonly clock: Clock;
  readonly budget: RetryBudget;
  /** Whether there may be more connections, for what waits for one. */
  readonly hasRoom?: () => boolean;
  readonly observer: Observer;
  /** A connection has turned out to be silent while the service is there: others may be dead too. */
  readonly onSilent?: () => void;
  /** The path does not carry, or the service no longer knows the session. */
  readonly onDown: (failure: FailedAttempt) => void;
}

export class PathWatch {
  readonly #options: PathWatchOptions;
  readonly #hedged = new WeakSet<object>();
  #isTicking = false;
  #probing = false;
  /** When the path was last found well while this call was silent. */
  readonly #wellAt = new WeakMap<Call, number>();

  constructor(options: PathWatchOptions) {
    this.#options = options;
  }

  get #isOneStream(): boolean {
    return this.#options.live.wire.answersOnListen;
  }

  /** A call has been made: look after it until none is left. */
  wake(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#options.clock.after(TICK_MS, () => {
      this.#isTicking = false;
      this.#tick();
    });
  }

  /** The path is known to carry again since `at` (Clock.now()): what was asked before and is silent since is asked anew. */
  recovered(at: number): void {
    this.#options.onSilent?.();
    for (const call of this.#options.live.running()) {
      if (call.startedAt === undefined) this.#requeue(call);
      else if ((call.heardAt ?? call.startedAt) < at) this.#hedge(call);
    }
  }

  #tick(): void {
    const { live, clock } = this.#options;
    const running = live.running();
    if (running.length === 0) return;
    this.wake();
    const now = clock.now();
    if (live.isOver) {
      const silent = running.filter((call) => this.#isSuspicious(call, now));
      for (const call of silent) if (call.question.safety === 'safe') live.giveUp(call, LOST);
      return;
    }
    const isDue = running.some((call) => {
      const restedMs = now - (this.#wellAt.get(call) ?? Number.NEGATIVE_INFINITY);
      return restedMs >= SILENCE.restMs && this.#isSuspicious(call, now);
    });
    if (isDue && !this.#probing) void this.#probe();
  }

  async #probe(): Promise<void> {
    const { live, clock, observer, onDown } = this.#options;
    this.#probing = true;
    // Where all answers come on one stream, a busy service may be slow to answer a ping, and the session would be lost for that.
    const outcome = this.#isOneStream
      ? await checkHealth(live, clock, observer)
      : await probe(live, clock, SILENCE.probeTimeoutMs);
    this.#probing = false;
    if (live.isOver) return;
    if (outcome.kind === 'failed') {
      onDown(outcome);
      return;
    }
    const now = clock.now();
    for (const call of live.running()) {
      if (!this.#isSuspicious(call, now)) continue;
      this.#wellAt.set(call, now);
      if (call.startedAt === undefined) this.#requeue(call);
      else this.#hedge(call);
    }
  }

  #requeue(call: Call): void {
    if (this.#options.hasRoom?.() !== false) this.#options.live.requeue(call);
  }

  #hedge(call: Call): void {
    // Its answer would come on the same stream.
    if (this.#isOneStream) return;
    const { race, question } = call;
    if (question.safety === 'unsafe' || race.hasAsked || this.#hedged.has(race)) return;
    if (!this.#options.budget.withdraw()) return;
    this.#hedged.add(race);
    this.#options.observer({ type: 'request.hedged', method: call.request.method });
    this.#options.live.hedge(call);
    this.#options.onSilent?.();
  }

  #isSuspicious(call: Call, now: number): boolean {
    if (call.startedAt === undefined) return now - call.madeAt >= SILENCE.queuedMs;
    const since = call.heardAt ?? call.startedAt;
    return isSuspicious({ silentMs: now - since, wasHeard: call.heardAt !== undefined, usual: call.usual });
  }
}
