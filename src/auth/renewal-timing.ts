// When an access token is renewed, and until when it is used. Pure.

import type { Rng } from '../platform/random.ts';

export interface RenewalTimes {
  /** From then on it is renewed beside the requests that still use it. Milliseconds since 1970, as `usableUntil`. */
  readonly renewAt: number;
  /** From then on requests wait for the next one. */
  readonly usableUntil: number;
}

/** A quarter of its life ahead, and no more than this, in milliseconds. */
const LONGEST_LEAD_MS = 300_000;
const LEAD_SHARE = 0.25;
/** It has to arrive at the service before it ends, and clocks run a little differently. */
const LONGEST_MARGIN_MS = 3000;
const MARGIN_SHARE = 0.05;

/** @param expiresAt undefined where the server does not say; then only the service can tell */
export function renewalTimes(now: number, expiresAt: number | undefined, rng: Rng): RenewalTimes {
  if (expiresAt === undefined) return { renewAt: Infinity, usableUntil: Infinity };
  const life = Math.max(0, expiresAt - now);
  // Spread, so that processes that began together do not renew together.
  const lead = Math.min(life * LEAD_SHARE, LONGEST_LEAD_MS) * (0.75 + rng() * 0.5);
  return {
    renewAt: expiresAt - lead,
    usableUntil: expiresAt - Math.min(life * MARGIN_SHARE, LONGEST_MARGIN_MS),
  };
}

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;

/** The wait after so many tries in a row that failed. */
export function renewalDelayMs(failures: number, rng: Rng): number {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 16));
  return full * (0.5 + rng() * 0.5);
}
