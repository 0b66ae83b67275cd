// Time as a test may judge by it. On a machine that has more to do than it can, everything takes longer, the bridge too; so limits to
// how long something takes count only the time in which this process was let run. On a machine that has time, it is the same.

const LOOK_EVERY_MS = 25;
/** A timer that is later than this, in milliseconds, was kept waiting by the machine. */
const LATE_MS = 2 * LOOK_EVERY_MS;

/** What was lost until then in all, in milliseconds; only times at which some was lost are kept. */
const losses: { readonly at: number; readonly lostMs: number }[] = [{ at: 0, lostMs: 0 }];
let lookedAt = performance.now();

function look(): void {
  const now = performance.now();
  const lateMs = now - lookedAt - LATE_MS;
  lookedAt = now;
  if (lateMs > 0) losses.push({ at: now, lostMs: losses.at(-1)!.lostMs + lateMs });
}

setInterval(look, LOOK_EVERY_MS).unref();

function lostUntil(at: number): number {
  return losses.findLast((loss) => loss.at <= at)!.lostMs;
}

/** Milliseconds between two values of performance.now(), without those that the machine took away. */
export function fairMs(from: number, to?: number): number {
  look();
  const end = to ?? performance.now();
  return end - from - (lostUntil(end) - lostUntil(from));
}

/** Calls back after so many of these milliseconds. Returns what calls that off. */
export function afterFairMs(ms: number, callback: () => void): () => void {
  const from = performance.now();
  const wait = (leftMs: number): NodeJS.Timeout =>
    setTimeout(() => {
      const stillMs = ms - fairMs(from);
      if (stillMs > 1) timer = wait(Math.max(stillMs, LOOK_EVERY_MS));
      else callback();
    }, leftMs);
  let timer = wait(ms);
  return () => clearTimeout(timer);
}
