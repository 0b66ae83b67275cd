// When silence on a connection is suspicious. After sleep, a change of network or a NAT time-out, a socket stays open and
// bytes vanish in it; nothing but time and a second connection tells that from a service that is busy.

export interface SilenceFacts {
  /** Since the call was written, or since the last byte that came for it, in milliseconds. */
  readonly silentMs: number;
  /** Whether any byte came for it. */
  readonly wasHeard: boolean;
  /** How long this service usually takes for such a call, in milliseconds; 0 where that is not known. */
  readonly usual: { readonly firstByteMs: number; readonly answerMs: number };
}

export const SILENCE = {
  /** Silence that is suspicious before the first byte, and once bytes had come, in milliseconds. */
  startMs: 1000,
  heardMs: 8000,
  /** What is usually slow is given this many times as long, but no more than so many milliseconds. */
  patience: 3,
  longestMs: 60_000,
  /** A wait for a connection that is suspicious, in milliseconds. */
  queuedMs: 2000,
  /** The time that a check on a connection of its own may take, in milliseconds. */
  probeTimeoutMs: 1500,
  /** After a check that went well, a call that stays silent is asked about again no sooner, in milliseconds. */
  restMs: 5000,
} as const;

export function isSuspicious({ silentMs, wasHeard, usual }: SilenceFacts): boolean {
  const least = wasHeard ? SILENCE.heardMs : SILENCE.startMs;
  const usualMs = wasHeard ? usual.answerMs : usual.firstByteMs;
  return silentMs >= Math.min(SILENCE.longestMs, Math.max(least, SILENCE.patience * usualMs));
}
