// What the commands end with. Scripts build on these.

export const EXIT = {
  ok: 0,
  /** Something is not as it should be, and the output says what. */
  degraded: 1,
  usage: 2,
  notRunning: 3,
} as const;
