// When silence on a connection is suspicious. After sleep, a change of network or a NAT time-out, a socket stays open and
// bytes vanish in it; nothing but time and a second connection tells that from a service that is busy.

export interface SilenceFacts {
  /** Since the call was written, or since the last byte that came for it, in milliseconds. */
  readonly silentMs: number;
  /** Whether any byte came for it. */
  readonly wasHeard: boolean;
  /** Whether the connection had been quiet before the call was written, so that it may have died unnoticed. */
  readonly wasCold: boolean;
}

export const SILENCE = {
  /** A socket that was quiet for this long before may have died, in milliseconds. */
  coldAfterMs: 5000,
  /** Silence that is suspicious, in milliseconds: on a cold connection, on a warm one, and once bytes had come. */
  coldMs: 1000,
  warmMs: 5000,
  heardMs: 15_000,
  /** A wait for a connection that is suspicious, in milliseconds. */
  queuedMs: 2000,
  /** The time that a check on a connection of its own may take, and the wait between checks while they fail. */
  probeTimeoutMs: 1500,
  probeIntervalMs: 500,
  /** After a check that went well, the next one comes no sooner. */
  restMs: 5000,
} as const;

export function isSuspicious(facts: SilenceFacts): boolean {
  if (facts.wasHeard) return facts.silentMs >= SILENCE.heardMs;
  return facts.silentMs >= (facts.wasCold ? SILENCE.coldMs : SILENCE.warmMs);
}
