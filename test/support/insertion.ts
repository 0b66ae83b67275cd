/** What was put in, where `after` is `before` with something inserted at one place; undefined where it is anything else. */
export function insertionIn(before: string, after: string): string | undefined {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  const rest = before.length - start;
  return after.slice(after.length - rest) === before.slice(start)
    ? after.slice(start, after.length - rest)
    : undefined;
}
