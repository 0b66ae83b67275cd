// Decides whether the persistent session is trusted with traffic. `open`: it does not hold although the service answers,
// so requests take the per-request route. `half-open`: it is back on trial. Pure: each function returns the next state.

export type Breaker =
  | { readonly kind: 'closed'; readonly recentLosses: readonly number[] }
  /** `openings` in a row make the wait before the next trial longer. */
  | { readonly kind: 'open'; readonly trialAt: number; readonly openings: number }
  | { readonly kind: 'half-open'; readonly since: number; readonly openings: number };

export interface BreakerShape {
  /** So many losses within the window open it. */
  readonly losses: number;
  readonly windowMs: number;
  /** The first wait before a trial, doubling with each failed trial, up to the maximum. */
  readonly trialAfterMs: number;
  readonly maxTrialAfterMs: number;
  /** A session on trial that lives this long is trusted. */
  readonly trustAfterMs: number;
}

export const BREAKER: BreakerShape = {
  losses: 3,
  windowMs: 10_000,
  trialAfterMs: 2000,
  maxTrialAfterMs: 60_000,
  trustAfterMs: 3000,
};

export const CLOSED: Breaker = { kind: 'closed', recentLosses: [] };

/** A session was lost, or could not be made although the service answers. */
export function onLoss(breaker: Breaker, now: number, shape: BreakerShape): Breaker {
  switch (breaker.kind) {
    case 'closed': {
      const recentLosses = [...breaker.recentLosses.filter((at) => now - at < shape.windowMs), now];
      if (recentLosses.length < shape.losses) return { kind: 'closed', recentLosses };
      return open(1, now, shape);
    }
    case 'half-open':
      return open(breaker.openings + 1, now, shape);
    case 'open':
      return breaker;
  }
}

/** Time has passed, with a session there or not. */
export function onTick(breaker: Breaker, now: number, shape: BreakerShape): Breaker {
  switch (breaker.kind) {
    case 'closed':
      return breaker;
    case 'open':
      return now >= breaker.trialAt ? { kind: 'half-open', since: now, openings: breaker.openings } : breaker;
    case 'half-open':
      return now - breaker.since >= shape.trustAfterMs ? CLOSED : breaker;
  }
}

/** A session is there: its trial begins now. */
export function onHeld(breaker: Breaker, now: number): Breaker {
  return breaker.kind === 'half-open' ? { ...breaker, since: now } : breaker;
}

function open(openings: number, now: number, shape: BreakerShape): Breaker {
  const waitMs = Math.min(shape.maxTrialAfterMs, shape.trialAfterMs * 2 ** Math.min(openings - 1, 20));
  return { kind: 'open', trialAt: now + waitMs, openings };
}
