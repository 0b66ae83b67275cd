/**
 * Reads a Retry-After header (RFC 9110, section 10.2.3).
 * @param wallTimeMs milliseconds since 1970, for values that are dates
 * @returns the wait in milliseconds, never negative; undefined where the value is neither a number nor a date
 */
export function parseRetryAfter(value: string | undefined, wallTimeMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, Number.MAX_SAFE_INTEGER);
  // Every form of HTTP-date begins with the day's name; Date.parse reads more than that, "-5" too.
  const date = /^[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - wallTimeMs);
}
